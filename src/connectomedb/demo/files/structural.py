"""The package Structural_preproc: anatomy as volumes and as surfaces.

T1w/*.nii.gz   T1w/Native/
MNINonLinear/*.nii.gz   MNINonLinear/{Native,fsaverage_LR32k,ROIs,xfms}/
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from connectomedb.demo.brain import contrast
from connectomedb.demo.brain.anatomy import Brain, Grid
from connectomedb.demo.brain.labels import RIBBON_GREY, Labelling
from connectomedb.demo.brain.person import Person, Sheet, brain, labelling, sheet, warp
from connectomedb.demo.brain.template import FloatArray
from connectomedb.demo.files import cifti, gifti
from connectomedb.demo.files.nifti import Space, encode_volume, whole
from connectomedb.demo.files.textfiles import encode_spec
from connectomedb.demo.subjects import T2

Named = Iterator[tuple[str, bytes]]

HEMISPHERES = ("L", "R")
_CORE_SURFACES = ("midthickness", "inflated")
_ALL_SURFACES = ("pial", "midthickness", "inflated", "very_inflated")
_SCARCE = {
    Space.ALIGNED: frozenset(
        {"BiasField", "T1w", "T2w", "T1wDividedByT2w", "T1wDividedByT2w_ribbon", "aparc.a2009s+aseg"}
    ),
    Space.MNI: frozenset(
        {"BiasField", "T1w", "T2w", "T2w_restore", "T2w_restore_brain", "aparc.a2009s+aseg", "wmparc", "brainmask_fs"}
    ),
}
"""Volumes that only the showcase subject has."""


def structural_preproc(person: Person) -> dict[str, bytes]:
    """All files of the package, path inside the subject → bytes."""
    files = {f"T1w/{name}.nii.gz": content for name, content in _native_volumes(person)}
    files |= {f"MNINonLinear/{name}.nii.gz": content for name, content in _standard_volumes(person)}
    files |= {f"MNINonLinear/{name}": content for name, content in _rois(person)}
    files |= {f"MNINonLinear/xfms/{name}.nii.gz": content for name, content in _transforms(person)}
    for folder, build in _SURFACE_FOLDERS.items():
        surfaces = dict(build(person))
        if surfaces:
            files |= _with_spec(folder, surfaces, person)
    return files


def _native_volumes(person: Person) -> Named:
    """The volumes of `T1w/`, in the person's own space."""
    for name, values in _images(person, Space.ALIGNED):
        stem, _, rest = name.partition("_")
        full = f"{stem}_acpc_dc{'_' + rest if rest else ''}" if stem in ("T1w", "T2w", "BiasField") else name
        yield full, encode_volume(values, Grid(person.structural_mm(Space.ALIGNED)).affine, Space.ALIGNED)


def _standard_volumes(person: Person) -> Named:
    """The volumes directly in `MNINonLinear/`."""
    fineness = person.fineness
    for name, values in _images(person, Space.MNI):
        if not name.startswith("T1wDividedBy"):
            yield name, encode_volume(values, Grid(person.structural_mm(Space.MNI)).affine, Space.MNI)
    if fineness.is_complete:
        small = brain(person, Space.MNI, fineness.function_mm)
        yield "T1w_restore.2", encode_volume(whole(contrast.t1_brain(small)), small.grid.affine, Space.MNI)


def _images(person: Person, space: Space) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """The images of one space that this person has, under their names in standard space, int16 (x, y, z)."""
    body = brain(person, space, person.structural_mm(space))
    labels = labelling(person, space, body.grid.voxel_mm)
    for name, values in (*_weighted_images(person, space, body, labels), *_label_images(body, labels)):
        if person.fineness.is_complete or name not in _SCARCE[space]:
            yield name, values


def _weighted_images(
    person: Person, space: Space, body: Brain, labels: Labelling
) -> Iterator[tuple[str, NDArray[np.int16]]]:
    die = person.die(f"structural {space.name}")
    field = contrast.bias_field(body, die)
    t1 = contrast.noisy(contrast.t1_brain(body), die, 1.5)
    yield "BiasField", whole(100 * field)
    yield from _weighted("T1w", body, t1, field, fat=0.9, eyes=0.3)
    if person.has(T2):
        t2 = contrast.noisy(contrast.t2_brain(body), die, 1.5)
        yield from _weighted("T2w", body, t2, field, fat=0.6, eyes=1.2)
        ratio = np.where(body.mask, np.minimum(100 * t1 / np.maximum(t2, 10), 250), 0)
        yield "T1wDividedByT2w", whole(ratio)
        yield "T1wDividedByT2w_ribbon", whole(ratio * np.isin(labels.ribbon, RIBBON_GREY))


def _label_images(body: Brain, labels: Labelling) -> Iterator[tuple[str, NDArray[np.int16]]]:
    yield "aparc+aseg", labels.segmentation()
    yield "aparc.a2009s+aseg", labels.segmentation(cortex_from=11100)
    yield "wmparc", labels.segmentation(white_from=3000)
    yield "ribbon", labels.ribbon
    yield "brainmask_fs", body.mask.astype(np.int16)


def _weighted(
    name: str, body: Brain, inside: FloatArray, field: FloatArray, *, fat: float, eyes: float
) -> Iterator[tuple[str, NDArray[np.int16]]]:
    """One contrast three times: as scanned, evened out, and the brain alone."""
    whole_head = contrast.head(body, inside, fat=fat, eyes=eyes)
    yield name, whole(whole_head * field)
    yield f"{name}_restore", whole(whole_head)
    yield f"{name}_restore_brain", whole(inside)


def _rois(person: Person) -> Named:
    """Labels on the grid of the functional runs."""
    mm = person.fineness.function_mm
    labels = labelling(person, Space.MNI, mm)
    volumes = {"Atlas_ROIs.2": np.where(np.isin(labels.deep, cifti.DEEP_LABELS), labels.deep, 0)}
    if person.fineness.is_complete:
        volumes |= {"ROIs.2": labels.deep, "wmparc.2": labels.segmentation(white_from=3000)}
    for name, values in volumes.items():
        yield f"ROIs/{name}.nii.gz", encode_volume(values.astype(np.int16), Grid(mm).affine, Space.MNI)


def _transforms(person: Person) -> Named:
    """Where each voxel of one space is found in the other: displacement in mm, float32 (x, y, z, axis)."""
    grid = Grid(person.fineness.coil_mm)
    native, standard = warp(person, Space.ALIGNED), warp(person, Space.MNI)
    places = np.stack([axis.ravel() for axis in np.broadcast_arrays(*grid.axes())], axis=1).astype(np.float32)
    to_native = native.inverse_of_points(standard.of_points(places)) - places
    field = np.round(to_native, 1).reshape(*grid.shape, 3)
    yield "acpc_dc2standard", encode_volume(field, grid.affine, Space.MNI)
    if person.fineness.is_complete:
        back = np.round(standard.inverse_of_points(native.of_points(places)) - places, 1).reshape(*grid.shape, 3)
        yield "standard2acpc_dc", encode_volume(back, grid.affine, Space.ALIGNED)
        slopes = [np.gradient(field[..., axis], -grid.voxel_mm, grid.voxel_mm, grid.voxel_mm) for axis in range(3)]
        jacobian = np.linalg.det(np.eye(3) + np.moveaxis(np.array(slopes), (0, 1), (-2, -1)))
        yield "NonlinearRegJacobians", encode_volume(np.round(jacobian, 3), grid.affine, Space.MNI)


def _native_surfaces(person: Person, space: Space) -> Named:
    """The person's own mesh."""
    count = person.fineness.mesh_native
    if person.fineness.is_complete:
        yield from _surfaces(person, space, "native", count, ("white", "pial", "midthickness", "inflated"))


def _native_maps(person: Person) -> Named:
    if person.fineness.is_complete:
        for side in HEMISPHERES:
            cortex = sheet(person, Space.MNI, side, person.fineness.mesh_native)
            name = f"{person.label}.{side}.thickness.native.shape.gii"
            yield name, gifti.encode_shape(cortex.thickness, side, f"{person.label}_{side}_Thickness")


def _surfaces(person: Person, space: Space, mesh: str, count: int, kinds: tuple[str, ...]) -> Named:
    for side in HEMISPHERES:
        cortex = sheet(person, space, side, count)
        for kind in kinds:
            content = gifti.encode_surface(cortex.points(kind), cortex.cortex.triangles, side, kind)
            yield f"{person.label}.{side}.{kind}.{mesh}.surf.gii", content


def _mesh_32k(person: Person) -> Named:
    """`MNINonLinear/fsaverage_LR32k`: the mesh on which subjects are compared."""
    count = person.fineness.mesh_32k
    kinds = _ALL_SURFACES if person.fineness.is_complete else _CORE_SURFACES
    yield from _surfaces(person, Space.MNI, "32k_fs_LR", count, kinds)
    yield from _maps(person, "32k_fs_LR", count)
    for side in HEMISPHERES:
        cortex = sheet(person, Space.MNI, side, count)
        name = f"{person.label}.{side}.thickness.32k_fs_LR.shape.gii"
        yield name, gifti.encode_shape(cortex.thickness, side, f"{person.label}_{side}_Thickness")
        name = f"{person.label}.{side}.aparc.32k_fs_LR.label.gii"
        yield name, gifti.encode_regions(cortex.regions(), side)


def _mesh_164k(person: Person) -> Named:
    """The fine mesh directly in `MNINonLinear`."""
    count = person.fineness.mesh_164k
    yield from _surfaces(person, Space.MNI, "164k_fs_LR", count, ("midthickness",))
    if person.fineness.is_complete:
        yield from _maps(person, "164k_fs_LR", count)


def _maps(person: Person, mesh: str, count: int) -> Named:
    """Maps of both hemispheres in one CIFTI file each."""
    sheets = {side: sheet(person, Space.MNI, side, count) for side in HEMISPHERES}
    places = cifti.Grayordinates.of({side: cortex.is_cortex for side, cortex in sheets.items()})
    maps: dict[str, Callable[[Sheet], FloatArray]] = {"thickness": lambda cortex: cortex.thickness}
    if person.fineness.is_complete:
        maps |= {
            "sulc": lambda cortex: cortex.cortex.maps["sulc"],
            "curvature": lambda cortex: cortex.cortex.maps["curvature"],
        }
        if person.has(T2):
            maps["MyelinMap"] = Sheet.myelin
    for name, values_of in maps.items():
        values = np.concatenate([values_of(cortex)[cortex.is_cortex] for cortex in sheets.values()])
        content = cifti.encode_scalars(np.round(values[None, :], 3), places, [f"{person.label}_{name}"])
        yield f"{person.label}.{name}.{mesh}.dscalar.nii", content
    regions = [cortex.regions()[cortex.is_cortex] + 1000 * (side == "R") for side, cortex in sheets.items()]
    content = cifti.encode_regions(np.concatenate(regions), places, f"{person.label}_aparc")
    yield f"{person.label}.aparc.{mesh}.dlabel.nii", content


def _with_spec(folder: str, files: dict[str, bytes], person: Person) -> dict[str, bytes]:
    """The files of a folder, and the spec file that opens them together."""
    mesh = {"Native": "native", "fsaverage_LR32k": "32k_fs_LR"}.get(folder.rpartition("/")[2], "164k_fs_LR")
    spec = {f"{person.label}.{mesh}.wb.spec": encode_spec(files)}
    return {f"{folder}/{name}": content for name, content in (files | spec).items()}


_SURFACE_FOLDERS: dict[str, Callable[[Person], Named]] = {
    "T1w/Native": lambda person: _native_surfaces(person, Space.ALIGNED),
    "MNINonLinear": _mesh_164k,
    "MNINonLinear/Native": _native_maps,
    "MNINonLinear/fsaverage_LR32k": _mesh_32k,
}
