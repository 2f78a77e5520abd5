"""What the name of a file says of an image: its kind, its hemisphere, its mesh, and the surfaces that it can lie on.

    100307.L.thickness.32k_fs_LR.shape.gii           metric, L, 32k_fs_LR
    rfMRI_REST1_LR_Atlas.dtseries.nii                dense series; CIFTI files of runs are on 32k_fs_LR

Source: HCP's file names, hcp.md section 2; CIFTI-2 and GIFTI, recommended endings.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum


class ImageKind(StrEnum):
    """Kinds of images that can be shown."""

    VOLUME = "volume"
    SURFACE = "surface"
    METRIC = "metric"
    LABELS = "labels"
    DENSE = "dense"

    @property
    def lies_on_surfaces(self) -> bool:
        """Whether it needs a surface to be seen."""
        return self in (ImageKind.METRIC, ImageKind.LABELS, ImageKind.DENSE)


HEMISPHERES: Mapping[str, str] = {"L": "CORTEX_LEFT", "R": "CORTEX_RIGHT"}
"""Letter in names of files → structure in CIFTI files."""

_ENDINGS: Mapping[str, ImageKind] = {
    ".dscalar.nii": ImageKind.DENSE,
    ".dtseries.nii": ImageKind.DENSE,
    ".dlabel.nii": ImageKind.DENSE,
    **dict.fromkeys((".ptseries.nii", ".pscalar.nii", ".plabel.nii", ".dconn.nii", ".pconn.nii"), ImageKind.DENSE),
    ".surf.gii": ImageKind.SURFACE,
    ".shape.gii": ImageKind.METRIC,
    ".func.gii": ImageKind.METRIC,
    ".label.gii": ImageKind.LABELS,
    ".nii.gz": ImageKind.VOLUME,
    ".nii": ImageKind.VOLUME,
}
_OTHER_CIFTI = re.compile(r"\.(d|p)[a-z]+\.nii$")
_MESH = re.compile(r"(\d+k_fs_LR|native)")
_SIDE = re.compile(r"\.([LR])\.")
_ATLAS_MESH = "32k_fs_LR"
_REGIONS = re.compile(r"^(.*_)?(aparc[^/]*\+aseg|aseg|wmparc|ROIs)(\.\d+)?\.nii(\.gz)?$|^ribbon\.nii(\.gz)?$")
_SHAPES = ("inflated", "very_inflated", "midthickness", "pial", "white")
"""Surfaces on which values are best seen, the best first."""


def kind_of(path: str) -> ImageKind | None:
    """The kind of an image by its name; None for what cannot be shown."""
    name = path.lower()
    kind = next((kind for ending, kind in _ENDINGS.items() if name.endswith(ending)), None)
    return None if kind is ImageKind.VOLUME and _OTHER_CIFTI.search(name) else kind


def has_regions(name: str) -> bool:
    """Whether the values of a volume are keys of regions, by its name: `aparc+aseg.nii.gz`, `ribbon.nii.gz`."""
    return _REGIONS.match(name) is not None


def hemisphere_of(path: str) -> str | None:
    """`L` or `R`, when the file is of one hemisphere."""
    found = _SIDE.search(path.rpartition("/")[2])
    return found[1] if found else None


def mesh_of(path: str) -> str | None:
    """The mesh on which a surface, a metric or a dense file is given; None when the name does not say."""
    found = _MESH.findall(path.rpartition("/")[2])
    if found:
        return str(found[-1])
    return _ATLAS_MESH if kind_of(path) is ImageKind.DENSE else None


def surfaces_for(path: str, others: Iterable[str]) -> dict[str, str]:
    """Hemisphere → the surface among `others` on which a file is best seen; in its own folder first."""
    mesh, side = mesh_of(path), hemisphere_of(path)
    folder = path.rpartition("/")[0]
    found: dict[str, str] = {}
    for candidate in sorted(others, key=lambda other: _rank(other, folder)):
        hemisphere = hemisphere_of(candidate)
        fits = kind_of(candidate) is ImageKind.SURFACE and mesh_of(candidate) == mesh
        if fits and hemisphere and side in (None, hemisphere):
            found.setdefault(hemisphere, candidate)
    return found


def _rank(path: str, folder: str) -> tuple[int, bool, str]:
    shape = next((n for n, shape in enumerate(_SHAPES) if f".{shape}." in path), len(_SHAPES))
    return shape, path.rpartition("/")[0] != folder, path
