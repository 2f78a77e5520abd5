"""What the scanner would see of a working brain: time series in volumes and on the cortex.

    signal(place, frame) = baseline x (1 + sum over sources of weight(place) x course(frame)) + noise

The same sources make the volume, the surface and the grayordinates of a run, so they agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectomedb.demo.brain.anatomy import Brain
from connectomedb.demo.brain.template import FloatArray

STEP_S = 0.72
FRAMES = 20
BASELINE = 200.0
SCALE = 50.0
"""Stored volumes hold tenths: multiply by this for the units of the surface series."""

_NOISE = 1.1
_PEAK_Z, _WAVES, _WAVE_MM = 8.0, 48, 40.0


@dataclass(frozen=True, slots=True)
class Block:
    """One event of a task: name, and onset and duration in seconds."""

    name: str
    onset_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Source:
    """Somewhere in the brain that acts together: centres and radius in template mm, course over frames (fractions)."""

    centres: tuple[tuple[float, float, float], ...]
    radius_mm: float
    course: FloatArray

    def weight(self, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """How much each place takes part, 0 to 1."""
        total = np.zeros(np.shape(x), np.float32)
        for cx, cy, cz in self.centres:
            total += np.exp(-((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2) / (2 * self.radius_mm**2))
        return np.minimum(total, 1)


_FOLLOWED_BY: dict[str, tuple[tuple[float, float, float], ...]] = {
    "lh": ((40, -22, 56),),
    "rh": ((-40, -22, 56),),
    "lf": ((7, -30, 66),),
    "rf": ((-7, -30, 66),),
    "t": ((-56, -8, 28), (56, -8, 28)),
    "cue": ((-10, -88, 2), (10, -88, 2)),
}
"""Movements and the patch of cortex that each one uses: the opposite side's, but for the tongue."""

_PATCH_MM = 9.0

_NETWORKS: tuple[tuple[tuple[float, float, float], ...], ...] = (
    ((0, -52, 28), (0, 52, 8), (-45, -65, 32), (45, -65, 32)),
    ((-12, -86, 4), (12, -86, 4), (-30, -88, 0), (30, -88, 0)),
    ((-40, -22, 56), (40, -22, 56), (0, -24, 62)),
    ((-42, 36, 24), (42, 36, 24), (-44, -50, 46), (44, -50, 46)),
)
"""Four sets of places that idle together: default mode, visual, motor, fronto-parietal."""


def task_sources(blocks: Sequence[Block]) -> list[Source]:
    """The patches of the motor task, following its blocks with the delay of blood: 5 % in grey matter at the peak."""
    names = dict.fromkeys(block.name for block in blocks)
    return [
        Source(_FOLLOWED_BY[name], _PATCH_MM, 0.05 * _response([block for block in blocks if block.name == name]))
        for name in names
    ]


def task_statistic(name: str, places: FloatArray, die: np.random.Generator) -> FloatArray:
    """z of one event of the motor task at places (point, xyz) in template mm: its patch, in smooth noise around 0.

    The noise is a sum of waves through space, so that a volume and a surface of the same die agree.
    """
    patch = Source(_FOLLOWED_BY[name], _PATCH_MM, np.zeros(0, np.float32))
    waves = die.normal(0, 2 * np.pi / _WAVE_MM, (_WAVES, 3)).astype(np.float32)
    phases = die.uniform(0, 2 * np.pi, _WAVES).astype(np.float32)
    noise = np.zeros(len(places), np.float32)
    for wave, phase in zip(waves, phases, strict=True):
        noise += np.cos(np.einsum("px,x->p", places, wave) + phase)
    return np.asarray(_PEAK_Z * patch.weight(*places.T) + noise * np.float32(np.sqrt(2 / _WAVES)), np.float32)


def rest_sources(die: np.random.Generator) -> list[Source]:
    """Networks with slow courses of their own: some 1 %."""
    return [Source(centres, 11.0, 0.012 * _slow_course(die)) for centres in _NETWORKS]


def mean_image(brain: Brain) -> FloatArray:
    """An echo-planar image: fluid bright, white matter dark, signal lost above the air of the sinuses."""
    contrast = 1.15 - 0.25 * brain.gm - 0.5 * brain.wm
    lost = np.exp(-((brain.x / 18) ** 2 + ((brain.y - 38) / 16) ** 2 + ((brain.z + 22) / 12) ** 2))
    return np.where(brain.mask, BASELINE * contrast * (1 - 0.7 * lost), 0).astype(np.float32)


def volume_series(brain: Brain, sources: Sequence[Source], die: np.random.Generator) -> NDArray[np.int16]:
    """A run as int16 (x, y, z, frame), to be multiplied by SCALE. Zero outside the brain."""
    inside = brain.mask
    baseline = mean_image(brain)[inside]
    change = _change(sources, brain.x[inside], brain.y[inside], brain.z[inside])
    values = baseline[:, None] * (1 + change * brain.gm[inside][:, None]) + _noise(die, change.shape)
    frames = np.zeros((FRAMES, *reversed(brain.grid.shape)), np.int16)
    frames.T[inside] = np.rint(np.maximum(values, 1))
    return frames.T


def surface_series(places: FloatArray, sources: Sequence[Source], die: np.random.Generator) -> FloatArray:
    """A run at points: float32 (frame, point), for places (point, xyz) in template mm."""
    change = _change(sources, places[:, 0], places[:, 1], places[:, 2])
    level = die.normal(1.0, 0.04, (len(places), 1))
    values = SCALE * (BASELINE * level * (1 + change) + _noise(die, change.shape))
    return np.round(values.T, 1).astype(np.float32)


def _change(sources: Sequence[Source], x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    weights = np.stack([source.weight(x, y, z) for source in sources], axis=1)
    courses = np.stack([source.course for source in sources])
    return np.asarray(np.einsum("ps,sf->pf", weights, courses))


def _noise(die: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Noise (place, frame) that remembers a little of the frame before."""
    noise = die.standard_normal(shape, np.float32) * np.float32(_NOISE)
    noise[:, 1:] += np.float32(0.3) * noise[:, :-1]
    return noise


def _response(blocks: Sequence[Block]) -> FloatArray:
    """Blocks as blood answers them, per frame; 1 at the peak."""
    fine_s = 0.1
    time = np.arange(0, FRAMES * STEP_S, fine_s)
    is_on = np.zeros(len(time))
    for block in blocks:
        is_on[(time >= block.onset_s) & (time < block.onset_s + block.duration_s)] = 1
    # A gamma function that peaks after 5 s, and a shallow undershoot after 15 s.
    kernel = time**5 * np.exp(-time) / 120 - (time**15 * np.exp(-time) / 1.307674368e12) / 6
    answer = np.convolve(is_on, kernel)[: len(time)]
    return np.asarray(np.interp(np.arange(FRAMES) * STEP_S, time, answer / answer.max()), np.float32)


def _slow_course(die: np.random.Generator) -> FloatArray:
    time = np.arange(FRAMES) * STEP_S
    waves = [np.sin(2 * np.pi * die.uniform(0.02, 0.1) * time + die.uniform(0, 2 * np.pi)) for _ in range(4)]
    return np.asarray(np.sum(waves, axis=0) / 2, np.float32)
