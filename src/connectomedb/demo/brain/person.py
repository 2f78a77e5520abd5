"""One synthetic person: how finely the images are made, and the brain in both spaces."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from connectomedb.demo.brain.anatomy import Brain, Grid, Warp
from connectomedb.demo.brain.labels import Labelling, nearest_region
from connectomedb.demo.brain.template import Cortex, FloatArray, IntArray, cortex
from connectomedb.demo.dice import roll
from connectomedb.demo.files.nifti import Space
from connectomedb.demo.subjects import SHOWCASE, has_scan


@dataclass(frozen=True, slots=True)
class Fineness:
    """Voxel sizes in mm, vertices per hemisphere, and whether every known file is made or only a core.

    `anatomy_mm` is for structural images in the person's own space, `standard_mm` for those in MNI space, `raw_mm` for
    unprocessed runs, `coil_mm` for smooth fields (receive coils, warps).
    """

    anatomy_mm: float
    standard_mm: float
    function_mm: float
    diffusion_mm: float
    raw_mm: float
    coil_mm: float
    mesh_32k: int
    mesh_164k: int
    mesh_native: int
    volumes_diffusion: int
    is_complete: bool


FULL = Fineness(2.0, 2.5, 4.0, 4.0, 7.2, 12.0, 10242, 2562, 2562, 14, True)
SMALL = Fineness(7.2, 7.2, 12.0, 12.0, 18.0, 18.0, 162, 162, 162, 8, False)


@dataclass(frozen=True, slots=True)
class Person:
    """A label (six digits) and the seed of the release. All randomness comes from the two."""

    label: str
    seed: int

    @property
    def fineness(self) -> Fineness:
        """The showcase subject is made finely, the others are tiny."""
        return FULL if self.label == SHOWCASE else SMALL

    def structural_mm(self, space: Space) -> float:
        """Voxel size of the structural images of a space."""
        return self.fineness.standard_mm if space is Space.MNI else self.fineness.anatomy_mm

    def has(self, scan: str) -> bool:
        """Whether the release holds this scan of the person."""
        return has_scan(self.label, scan)

    def die(self, purpose: str) -> np.random.Generator:
        """The person's die for one purpose."""
        return roll(self.seed, self.label, purpose)


@lru_cache(maxsize=4)
def warp(person: Person, space: Space) -> Warp:
    """The person's shape: all of it in the person's own space, a small rest of it after registration to MNI."""
    return Warp.rolled(person.die(f"shape {space.name}"), 0.25 if space is Space.MNI else 1.0)


@lru_cache(maxsize=8)
def brain(person: Person, space: Space, voxel_mm: float) -> Brain:
    """The person's brain on a grid. One shape for all images of a space, so that they lie upon each other."""
    return Brain.sampled(Grid(voxel_mm), warp(person, Space.MNI if space is Space.MNI else Space.ALIGNED))


@lru_cache(maxsize=4)
def labelling(person: Person, space: Space, voxel_mm: float) -> Labelling:
    """The labels of `brain`."""
    return Labelling.of(brain(person, space, voxel_mm))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A cortex in one space.

    `places`: template mm of each vertex, float32 (vertex, xyz); `is_cortex`: False on the medial wall.
    """

    cortex: Cortex
    places: FloatArray
    is_cortex: NDArray[np.bool_]
    thickness: FloatArray
    bend: Warp

    def points(self, kind: str) -> FloatArray:
        """Vertices of one surface in the person's space, mm. Swollen surfaces are shown as they are."""
        points = self.cortex.surfaces[kind]
        return self.bend.inverse_of_points(points) if kind in ("white", "pial", "midthickness") else points

    def regions(self) -> IntArray:
        """Cortical region of each vertex, by its offset in the atlas; 0 on the medial wall."""
        return np.where(self.is_cortex, nearest_region(self.places), 0).astype(np.int32)

    def myelin(self) -> FloatArray:
        """A T1w/T2w-like map: high in primary cortex, where it is thin."""
        return np.where(self.is_cortex, 2.2 - 0.35 * self.thickness, 0).astype(np.float32)


@lru_cache(maxsize=8)
def sheet(person: Person, space: Space, hemisphere: str, vertices: int) -> Sheet:
    """One hemisphere (`L` or `R`) of the person's cortex."""
    average = cortex(hemisphere, vertices)
    is_cortex = average.maps["thickness"] > 0.1
    jitter = person.die(f"thickness {hemisphere} {vertices}").normal(0, 0.12, vertices)
    thickness = np.where(is_cortex, np.clip(average.maps["thickness"] + jitter, 0.5, 5), 0)
    return Sheet(
        average, average.surfaces["midthickness"], is_cortex, thickness.astype(np.float32), warp(person, space)
    )
