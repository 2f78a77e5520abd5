"""Rough labels for synthetic brains: which structure each voxel or vertex belongs to.

Numbers and names are those of FreeSurfer's Desikan-Killiany atlas; places are approximate by hand (nearest centre,
ellipsoids), so the pictures look right and nobody should measure anything on them.
"""

import colorsys
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from connectomedb.demo.brain.anatomy import BoolArray, Brain
from connectomedb.demo.brain.template import FloatArray, IntArray

LabelArray = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Region:
    """A cortical region: offset of its number in the atlas, name, and centre in the left hemisphere (mm)."""

    offset: int
    name: str
    centre: tuple[int, int, int]

    @property
    def colour(self) -> tuple[float, float, float, float]:
        """Red, green, blue, opacity, each from 0 to 1; neighbours in number differ in hue."""
        red, green, blue = colorsys.hsv_to_rgb((self.offset * 0.381966) % 1.0, 0.65, 0.9)
        return round(red, 4), round(green, 4), round(blue, 4), 1.0


@dataclass(frozen=True, slots=True)
class Nucleus:
    """A deep structure: FreeSurfer's numbers left and right, and an ellipsoid (mm) in the left hemisphere."""

    left: int
    right: int
    centre: tuple[int, int, int]
    radii: tuple[int, int, int]


REGIONS: tuple[Region, ...] = (
    Region(1, "bankssts", (-52, -45, 8)),
    Region(2, "caudalanteriorcingulate", (-5, 18, 28)),
    Region(3, "caudalmiddlefrontal", (-37, 12, 48)),
    Region(5, "cuneus", (-8, -82, 20)),
    Region(6, "entorhinal", (-24, -8, -34)),
    Region(7, "fusiform", (-36, -43, -20)),
    Region(8, "inferiorparietal", (-42, -66, 34)),
    Region(9, "inferiortemporal", (-50, -34, -24)),
    Region(10, "isthmuscingulate", (-9, -46, 15)),
    Region(11, "lateraloccipital", (-32, -88, 2)),
    Region(12, "lateralorbitofrontal", (-24, 29, -15)),
    Region(13, "lingual", (-13, -68, -4)),
    Region(14, "medialorbitofrontal", (-6, 38, -14)),
    Region(15, "middletemporal", (-57, -26, -12)),
    Region(16, "parahippocampal", (-24, -30, -16)),
    Region(17, "paracentral", (-8, -28, 62)),
    Region(18, "parsopercularis", (-46, 14, 18)),
    Region(19, "parsorbitalis", (-42, 38, -10)),
    Region(20, "parstriangularis", (-45, 30, 6)),
    Region(21, "pericalcarine", (-11, -80, 6)),
    Region(22, "postcentral", (-44, -24, 48)),
    Region(23, "posteriorcingulate", (-6, -18, 38)),
    Region(24, "precentral", (-38, -10, 48)),
    Region(25, "precuneus", (-9, -58, 38)),
    Region(26, "rostralanteriorcingulate", (-5, 37, 4)),
    Region(27, "rostralmiddlefrontal", (-34, 42, 20)),
    Region(28, "superiorfrontal", (-11, 30, 42)),
    Region(29, "superiorparietal", (-22, -62, 52)),
    Region(30, "superiortemporal", (-53, -14, -4)),
    Region(31, "supramarginal", (-51, -36, 32)),
    Region(32, "frontalpole", (-8, 64, -8)),
    Region(33, "temporalpole", (-30, 12, -34)),
    Region(34, "transversetemporal", (-44, -24, 8)),
    Region(35, "insula", (-36, -2, 2)),
)

NUCLEI: dict[str, Nucleus] = {
    "THALAMUS": Nucleus(10, 49, (-12, -18, 8), (9, 13, 9)),
    "CAUDATE": Nucleus(11, 50, (-13, 12, 11), (5, 13, 10)),
    "PUTAMEN": Nucleus(12, 51, (-26, 3, 1), (6, 15, 9)),
    "PALLIDUM": Nucleus(13, 52, (-20, -5, 0), (4, 8, 6)),
    "HIPPOCAMPUS": Nucleus(17, 53, (-27, -23, -14), (7, 16, 8)),
    "AMYGDALA": Nucleus(18, 54, (-23, -4, -19), (8, 8, 7)),
    "ACCUMBENS": Nucleus(26, 58, (-10, 11, -8), (5, 5, 4)),
}

BRAIN_STEM = 16
VENTRICLE = (4, 43)
CEREBELLUM_WHITE = (7, 46)
CEREBELLUM_CORTEX = (8, 47)
WHITE = (2, 41)
RIBBON_GREY = (3, 42)
FLUID = 24


def nearest_region(points: FloatArray) -> IntArray:
    """Number of the cortical region whose centre lies nearest: points are float32 (point, xyz), template mm."""
    centres = np.array([region.centre for region in REGIONS], np.float32) * np.array([-1, 1, 1], np.float32)
    offsets = np.array([region.offset for region in REGIONS], np.int32)
    mirrored = points.T.astype(np.float32)
    mirrored[0] = np.abs(mirrored[0])
    # |p - c|^2 without |p|^2, which is the same for all centres.
    distance = (centres**2).sum(axis=1)[:, None] - 2 * np.einsum("rx,xp->rp", centres, mirrored)
    return np.asarray(offsets[distance.argmin(axis=0)], np.int32)


@dataclass(frozen=True, slots=True)
class Labelling:
    """A brain's voxels by tissue and place, int16 (x, y, z).

    `ribbon`: 3 and 42 in cortical grey, 2 and 41 in cerebral white matter; `deep`: all other structures, else 0;
    `region`: cortical region nearest to each voxel of the ribbon, 1000 higher on the right.
    """

    ribbon: LabelArray
    deep: LabelArray
    region: LabelArray

    @classmethod
    def of(cls, brain: Brain) -> Self:
        """Label a brain."""
        tissue = _ribbon(brain)
        return cls(tissue, _deep(brain), _regions(tissue > 0, brain))

    def segmentation(self, *, cortex_from: int = 1000, white_from: int | None = None) -> LabelArray:
        """Cortex by region, deep structures by name.

        Args:
            cortex_from: left cortex is numbered from here, right cortex 1000 higher (FreeSurfer: 1000, or 11100).
            white_from: white matter by nearest region likewise (FreeSurfer: 3000); None leaves 2 and 41.
        """
        labels = self.ribbon.copy()
        is_grey = np.isin(self.ribbon, RIBBON_GREY)
        labels[is_grey] = cortex_from + self.region[is_grey]
        if white_from is not None:
            is_white = np.isin(self.ribbon, WHITE)
            labels[is_white] = white_from + self.region[is_white]
        return np.where(self.deep > 0, self.deep, labels)

    def nucleus(self, name: str, side: int) -> BoolArray:
        """Where a deep structure lies: side 0 is left, 1 right."""
        nucleus = NUCLEI[name]
        return np.equal(self.deep, (nucleus.left, nucleus.right)[side])


def _ribbon(brain: Brain) -> LabelArray:
    labels = np.zeros(brain.grid.shape, np.int16)
    is_cerebrum = brain.mask & ~is_cerebellum(brain) & ~is_stem(brain)
    _paint(labels, is_cerebrum & (brain.wm >= brain.gm) & (brain.wm > 0.3), brain, WHITE)
    _paint(labels, is_cerebrum & (brain.gm > brain.wm) & (brain.gm > 0.3), brain, RIBBON_GREY)
    return labels


def _deep(brain: Brain) -> LabelArray:
    tissue = brain.gm + brain.wm
    labels = np.where(brain.mask & (tissue < 0.3), np.int16(FLUID), np.int16(0))
    _paint(labels, is_cerebellum(brain) & (brain.gm >= brain.wm), brain, CEREBELLUM_CORTEX)
    _paint(labels, is_cerebellum(brain) & (brain.wm > brain.gm), brain, CEREBELLUM_WHITE)
    labels[is_stem(brain)] = BRAIN_STEM
    is_central = (np.abs(brain.x) < 32) & (brain.y > -48) & (brain.y < 38) & (brain.z > 0) & (brain.z < 32)
    _paint(labels, brain.mask & is_central & (tissue < 0.5), brain, VENTRICLE)
    is_dense = brain.mask & (tissue > 0.5)
    for nucleus in NUCLEI.values():
        _paint(labels, is_dense & _is_in(brain, nucleus), brain, (nucleus.left, nucleus.right))
    return labels


def _regions(where: BoolArray, brain: Brain) -> LabelArray:
    labels = np.zeros(brain.grid.shape, np.int16)
    points = np.stack([brain.x[where], brain.y[where], brain.z[where]], axis=1)
    labels[where] = nearest_region(points) + np.where(points[:, 0] < 0, 0, 1000)
    return labels


def is_cerebellum(brain: Brain) -> BoolArray:
    """Below a plane that stands for the tentorium."""
    return brain.mask & (brain.y < -38) & (brain.z < -12 + 0.4 * (brain.y + 55)) & (np.abs(brain.x) < 60)


def is_stem(brain: Brain) -> BoolArray:
    """Inside a column around the brain stem."""
    column = (brain.x / 14) ** 2 + ((brain.y + 29 + 0.1 * (brain.z + 30)) / 14) ** 2
    return brain.mask & (column < 1) & (brain.z < -8)


def _is_in(brain: Brain, nucleus: Nucleus) -> BoolArray:
    (x, y, z), (rx, ry, rz) = nucleus.centre, nucleus.radii
    squared = ((np.abs(brain.x) + x) / rx) ** 2 + ((brain.y - y) / ry) ** 2 + ((brain.z - z) / rz) ** 2
    return np.less(squared, 1)


def _paint(labels: LabelArray, where: BoolArray, brain: Brain, pair: tuple[int, int]) -> None:
    """Write the left or the right number, by the side of the midline."""
    labels[where] = np.where(brain.x[where] < 0, pair[0], pair[1])
