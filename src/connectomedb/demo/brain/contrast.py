"""What a scanner would make of a brain: intensities of the structural images, in arbitrary units.

`brain` arrays in, float32 (x, y, z) out; `nifti` rounds them to whole numbers.
"""

import numpy as np

from connectomedb.demo.brain.anatomy import Brain
from connectomedb.demo.brain.template import FloatArray

BRIGHT = 180.0


def t1_brain(brain: Brain) -> FloatArray:
    """T1 weighting, brain only: white matter bright, fluid dark."""
    return np.where(brain.mask, brain.t1 * np.float32(BRIGHT), np.float32(0))


def t2_brain(brain: Brain) -> FloatArray:
    """T2 weighting, brain only: fluid bright, white matter dark."""
    return np.where(brain.mask, np.float32(BRIGHT) * (1.15 - 0.75 * brain.t1 - 0.15 * brain.wm), 0).astype(np.float32)


def head(brain: Brain, inside: FloatArray, *, fat: float, eyes: float) -> FloatArray:
    """A brain image with the rest of the head around it: dark skull, bright scalp, neck and eyes.

    Args:
        brain: gives the place of each voxel.
        inside: the image of the brain alone, kept where it is not zero.
        fat: brightness of scalp and neck, `eyes` that of the eyes, 1 being the brightest brain.
    """
    x, y, z = brain.x, brain.y, brain.z
    outline = np.sqrt((x / 80) ** 2 + ((y + 17) / 99) ** 2 + ((z - 6) / 87) ** 2)
    neck = np.sqrt((x / 66) ** 2 + ((y + 20) / 80) ** 2)
    image = np.zeros(brain.grid.shape, np.float32)
    image[(neck < 1) & (z < -30)] = 0.45 * fat
    image[outline < 1.09] = fat
    image[outline < 1.01] = 0.12
    image[(outline < 1.01) & (z < -18 + 0.35 * y)] = 0.4 * fat
    for side in (-1, 1):
        image[(x - side * 31) ** 2 + (y - 64) ** 2 + (z + 33) ** 2 < 13**2] = eyes
    image *= BRIGHT
    return np.where(brain.mask, inside, image)


def bias_field(brain: Brain, die: np.random.Generator) -> FloatArray:
    """A smooth multiplicative brightness field around 1, as receive coils leave it."""
    field = np.ones(brain.grid.shape, np.float32)
    for axis in brain.grid.axes():
        phase, depth = die.uniform(0, 2 * np.pi), die.uniform(0.08, 0.2)
        field = field * (1 + depth * np.cos(axis * (2 * np.pi / 260) + phase)).astype(np.float32)
    return field


def noisy(image: FloatArray, die: np.random.Generator, level: float) -> FloatArray:
    """The image with noise of the given standard deviation where there is signal; never negative."""
    is_signal = image > 0
    noisy_image = image.copy()
    noisy_image[is_signal] += die.normal(0.0, level, int(is_signal.sum())).astype(np.float32)
    return np.maximum(noisy_image, 0)
