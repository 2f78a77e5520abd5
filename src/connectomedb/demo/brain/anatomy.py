"""One synthetic subject's brain: the template, bent and sampled on a grid.

    grid (voxel → mm in the subject) ──Warp──▶ mm in the template ──▶ tissue fractions

All voxel arrays are (x, y, z). Grids are LAS+ (x falls with the index) and cover the box of FSL's MNI 152
volumes, as HCP's do: 91 x 109 x 91 voxels at 2 mm.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from connectomedb.demo.brain.template import FloatArray, Template, coarse_template, fine_template

BoolArray = NDArray[np.bool_]

_BOX_MM = (180.0, 216.0, 180.0)
_CORNER_MM = (90.0, -126.0, -72.0)
_FINE_BELOW_MM = 2.7


@dataclass(frozen=True, slots=True)
class Grid:
    """A box of cubic voxels, LAS+."""

    voxel_mm: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along x, y, z."""
        x, y, z = (round(length / self.voxel_mm) + 1 for length in _BOX_MM)
        return x, y, z

    @property
    def affine(self) -> NDArray[np.float64]:
        """Voxel index → mm, RAS+ world."""
        affine = np.diag([-self.voxel_mm, self.voxel_mm, self.voxel_mm, 1.0])
        affine[:3, 3] = _CORNER_MM
        return affine

    def axes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """World coordinates in mm along each axis, shaped to broadcast to the grid."""
        affine = self.affine
        shapes = ((-1, 1, 1), (1, -1, 1), (1, 1, -1))
        x, y, z = (
            (affine[axis, 3] + affine[axis, axis] * np.arange(count)).astype(np.float32).reshape(shapes[axis])
            for axis, count in enumerate(self.shape)
        )
        return x, y, z


@dataclass(frozen=True, slots=True)
class Warp:
    """Subject mm → template mm: an affine part and gentle waves.

    Each output coordinate is a sum of functions of one input coordinate each, so bending a whole grid costs three
    broadcast additions. Arrays are float64 (output axis, input axis); `shift` is (output axis,).
    """

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]
    amplitude_mm: NDArray[np.float64]
    wave_per_mm: NDArray[np.float64]
    phase: NDArray[np.float64]

    @classmethod
    def rolled(cls, die: np.random.Generator, strength: float) -> Self:
        """A random warp; `strength` 1 changes size by some 5 %, 0 is the identity."""
        matrix = np.eye(3) + strength * (np.diag(die.uniform(-0.06, 0.06, 3)) + die.uniform(-0.03, 0.03, (3, 3)))
        return cls(
            matrix,
            strength * die.uniform(-2.0, 2.0, 3),
            strength * die.uniform(0.3, 1.6, (3, 3)),
            2 * np.pi / die.uniform(60.0, 120.0, (3, 3)),
            die.uniform(0.0, 2 * np.pi, (3, 3)),
        )

    def of_grid(self, grid: Grid) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Template coordinates of every voxel, mm, one array per axis."""
        axes = grid.axes()
        x, y, z = (
            sum((self._part(output, source, axes[source]) for source in range(3)), np.float32(self.shift[output]))
            for output in range(3)
        )
        return np.asarray(x), np.asarray(y), np.asarray(z)

    def of_points(self, points: FloatArray) -> FloatArray:
        """Template coordinates of points: float32 (point, xyz), mm."""
        columns = [
            sum((self._part(output, source, points[:, source]) for source in range(3)), np.float32(self.shift[output]))
            for output in range(3)
        ]
        return np.stack([np.asarray(column) for column in columns], axis=1)

    def inverse_of_points(self, points: FloatArray) -> FloatArray:
        """Subject coordinates of template points, to about 0.01 mm, by fixed-point steps."""
        found = points
        for _ in range(8):
            found = found + (points - self.of_points(found))
        return found

    def _part(self, output: int, source: int, values: FloatArray) -> FloatArray:
        wave = np.sin(values * self.wave_per_mm[output, source] + self.phase[output, source])
        part = self.matrix[output, source] * values + self.amplitude_mm[output, source] * wave
        return np.asarray(part, np.float32)


@dataclass(frozen=True, slots=True)
class Brain:
    """A brain on a grid: template coordinates in mm, T1 signal and tissue from 0 to 1, all float32 (x, y, z)."""

    grid: Grid
    x: FloatArray
    y: FloatArray
    z: FloatArray
    t1: FloatArray
    gm: FloatArray
    wm: FloatArray

    @classmethod
    def sampled(cls, grid: Grid, warp: Warp) -> Self:
        """The template as this subject would have it."""
        template = fine_template() if grid.voxel_mm < _FINE_BELOW_MM else coarse_template()
        x, y, z = warp.of_grid(grid)
        index, is_inside = _nearest(template, x, y, z)
        t1, gm, wm = (
            channel.ravel()[index].astype(np.float32) * is_inside * np.float32(1 / 255)
            for channel in (template.t1, template.gm, template.wm)
        )
        return cls(grid, x, y, z, t1, gm, wm)

    @property
    def mask(self) -> BoolArray:
        """Where there is brain."""
        return self.t1 > 0.08


def _nearest(template: Template, x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[NDArray[np.intp], BoolArray]:
    """Flat index of the template voxel nearest to each point, and whether the point lies inside."""
    flat = np.zeros(x.shape, np.intp)
    is_inside = np.ones(x.shape, np.bool_)
    for values, origin, count in zip((x, y, z), template.origin, template.t1.shape, strict=True):
        step = np.rint((values - np.float32(origin)) / np.float32(template.voxel_mm)).astype(np.intp)
        is_inside &= (step >= 0) & (step < count)
        flat = flat * count + np.clip(step, 0, count - 1)
    return flat, is_inside
