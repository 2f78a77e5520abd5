"""Rolls seeded dice.

Each subject and purpose has a die of its own, so that no order of work, and no number of workers,
changes any byte.
"""

import zlib

import numpy as np

COHORT = "0"


def roll(seed: int, subject: str, purpose: str) -> np.random.Generator:
    """The die of one subject (six digits, or COHORT for what concerns all) and one purpose."""
    return np.random.default_rng([seed, int(subject), zlib.crc32(purpose.encode())])
