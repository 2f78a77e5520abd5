"""The average brain and cortex that all synthetic subjects are bent from.

Read from the data files that the installed nilearn package ships (ICBM 152 2009a template at 1 mm,
fsaverage5 meshes); nilearn itself is not imported, which would take seconds.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from connectomedb.errors import ConfigError

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]

# fsaverage lies in MNI 305 space; this brings it to MNI 152. Source: FreeSurfer's page on coordinate systems.
_MNI305_TO_MNI152 = np.array(
    [
        [0.9975, -0.0073, 0.0176, -0.0429],
        [0.0146, 1.0009, -0.0024, 1.5496],
        [-0.0130, -0.0093, 0.9971, 1.1840],
    ]
)
_MAPS = {"sulc": "sulc", "curvature": "curv", "thickness": "thick"}


@dataclass(frozen=True, slots=True)
class Template:
    """Average brain: uint8 (x, y, z), RAS+; the centre of voxel 0 0 0 lies at `origin` (mm)."""

    t1: NDArray[np.uint8]
    gm: NDArray[np.uint8]
    wm: NDArray[np.uint8]
    origin: tuple[float, float, float]
    voxel_mm: float


@dataclass(frozen=True, slots=True)
class Cortex:
    """Average cortex of one hemisphere.

    `surfaces`: name → float32 (vertex, xyz), mm, RAS+; `maps`: name → float32 (vertex,);
    `triangles`: int32 (triangle, corner), counter-clockwise from outside.
    """

    surfaces: dict[str, FloatArray]
    maps: dict[str, FloatArray]
    triangles: IntArray


def data_folder() -> Path:
    """Where the installed nilearn keeps its data files. Raises ConfigError when it is not installed."""
    spec = importlib.util.find_spec("nilearn")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "datasets" / "data"
        if (folder / "fsaverage5").is_dir():
            return folder
    raise ConfigError(
        "The demo's images need the template that the nilearn package ships; it was not found. "
        "Install it with: pip install 'connectomedb[demo]'."
    )


@lru_cache(maxsize=1)
def fine_template() -> Template:
    """The template as shipped, 1 mm."""
    t1, gm, wm = (_read_volume(f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz") for name in ("t1", "gm", "wm"))
    return Template(t1, gm, wm, (-98.0, -134.0, -72.0), 1.0)


@lru_cache(maxsize=1)
def coarse_template() -> Template:
    """The template averaged over blocks of 3 mm."""
    fine = fine_template()
    t1, gm, wm = (_block_mean(channel, 3) for channel in (fine.t1, fine.gm, fine.wm))
    return Template(t1, gm, wm, (-97.0, -133.0, -71.0), 3.0)


@lru_cache(maxsize=8)
def cortex(hemisphere: str, vertices: int) -> Cortex:
    """Hemisphere `L` or `R` on fsaverage5 (10242 vertices) or one of its coarser meshes (2562, 642, 162)."""
    side = {"L": "left", "R": "right"}[hemisphere]
    surfaces, triangles = _all_surfaces(side)
    maps = {name: _read_map(f"{short}_{side}") for name, short in _MAPS.items()}
    while len(triangles) > 2 * vertices:
        triangles = coarser(triangles)
    return Cortex(
        {name: np.ascontiguousarray(points[:vertices], np.float32) for name, points in surfaces.items()},
        {name: values[:vertices] for name, values in maps.items()},
        triangles,
    )


def coarser(triangles: IntArray) -> IntArray:
    """The mesh of which this one is the subdivision.

    FreeSurfer numbers vertices level by level: the coarser mesh is the first (n + 6) / 4 of n vertices, and each
    later vertex is the middle of one coarse edge, so its two low-numbered neighbours are that edge.
    """
    vertices = int(triangles.max()) + 1
    kept = (vertices + 6) // 4
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    spokes = np.unique(edges[(edges[:, 0] >= kept) & (edges[:, 1] < kept)], axis=0)
    ends = spokes[:, 1].reshape(-1, 2)
    inner = triangles[(triangles >= kept).all(axis=1)] - kept
    first, second, third = (ends[inner[:, corner]] for corner in range(3))
    corners = [_shared_end(first, second), _shared_end(second, third), _shared_end(third, first)]
    return np.ascontiguousarray(np.stack(corners, axis=1), np.int32)


def _shared_end(edges: IntArray, others: IntArray) -> IntArray:
    """Row by row, the vertex that two edges have in common."""
    is_first = (edges[:, 0] == others[:, 0]) | (edges[:, 0] == others[:, 1])
    return np.where(is_first, edges[:, 0], edges[:, 1])


def _all_surfaces(side: str) -> tuple[dict[str, FloatArray], IntArray]:
    """All surfaces of a hemisphere, and the triangles that they share."""
    white, triangles = _read_surface(f"white_{side}")
    pial, sphere, swollen = (_read_surface(f"{name}_{side}")[0] for name in ("pial", "sphere", "infl"))
    white, pial = _to_mni152(white), _to_mni152(pial)
    middle = _float32((white + pial) / 2)
    surfaces = {
        "white": white,
        "pial": pial,
        "midthickness": middle,
        "inflated": _beside_midline(_float32((middle + swollen) / 2), side),
        "very_inflated": _beside_midline(swollen, side),
        "sphere": sphere,
    }
    return surfaces, triangles


def _to_mni152(points: FloatArray) -> FloatArray:
    # Not a matrix product: those may round differently with the number of threads.
    moved = np.einsum("px,yx->py", points, _MNI305_TO_MNI152[:, :3]) + _MNI305_TO_MNI152[:, 3]
    return _float32(moved)


def _float32(values: NDArray[np.floating]) -> FloatArray:
    return np.asarray(values, np.float32)


def _beside_midline(points: FloatArray, side: str) -> FloatArray:
    """The hemisphere moved sideways until it touches the plane between the two, so that both can be shown at once."""
    medial = points[:, 0].max() if side == "left" else points[:, 0].min()
    return np.asarray(points - np.array([medial, 0, 0], np.float32), np.float32)


def _read_volume(name: str) -> NDArray[np.uint8]:
    with _explained(name):
        return np.ascontiguousarray(np.asanyarray(nib.load(data_folder() / name).dataobj), np.uint8)


def _read_surface(name: str) -> tuple[FloatArray, IntArray]:
    with _explained(name):
        points, triangles = nib.load(data_folder() / "fsaverage5" / f"{name}.gii.gz").darrays
        return np.array(points.data, np.float32), np.array(triangles.data, np.int32)


def _read_map(name: str) -> FloatArray:
    with _explained(name):
        return np.array(nib.load(data_folder() / "fsaverage5" / f"{name}.gii.gz").darrays[0].data, np.float32)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say which file of the other package could not be used."""
    try:
        yield
    except (OSError, ValueError, ImageFileError) as fault:
        raise ConfigError(
            f"Read {name} from the installed nilearn package: {fault}. "
            "Install a version that ships it: pip install 'connectomedb[demo]'."
        ) from fault


def _block_mean(volume: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Mean over cubes of `size` voxels; what is left over at the far edges is dropped."""
    x, y, z = (length // size for length in volume.shape)
    blocks = volume[: x * size, : y * size, : z * size].reshape(x, size, y, size, z, size)
    total = blocks.sum(axis=5, dtype=np.uint16).sum(axis=3, dtype=np.uint16).sum(axis=1, dtype=np.uint16)
    return np.asarray(total // size**3, np.uint8)
