"""Values → colours: greys of images, warm and cold colours of maps, the colours of label tables."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ByteArray = NDArray[np.uint8]

BONE = (198, 190, 178)
"""A surface without values, and where a map has none."""

_WARM = np.array([[80, 18, 60], [190, 40, 40], [245, 130, 40], [255, 225, 120], [255, 255, 225]], float)
_COLD = np.array([[20, 30, 90], [30, 90, 190], [60, 170, 230], [160, 230, 250], [235, 255, 255]], float)
_LOW, _HIGH = 2.0, 98.0


def window(values: FloatArray) -> tuple[float, float]:
    """What to show as dark and as bright: percentiles of what is neither nothing nor no number."""
    shown = values[np.isfinite(values) & (values != 0)]
    if not len(shown):
        return 0.0, 1.0
    low, high = (float(edge) for edge in np.percentile(shown, (_LOW, _HIGH)))
    low = min(low, 0.0) if low < 0 else 0.0 if low < high / 3 else low
    return (low, high) if high > low else (min(low, 0.0), max(high, 0.0))


def greys(values: FloatArray, low: float, high: float) -> ByteArray:
    """0 to 255; no numbers are black."""
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / (high - low)
    return np.asarray(np.clip(scaled, 0, 1) * 255, np.uint8)


def map_colours(values: FloatArray) -> ByteArray:
    """(value, rgb): warm above zero, cold below; bone where there is no number."""
    finite = np.isfinite(values)
    plain = np.where(finite, values, 0.0)
    low, high = window(plain)
    if low < 0:
        reach = max(abs(low), abs(high))
        found = np.where((plain < 0)[:, None], _along(_COLD, -plain / reach), _along(_WARM, plain / reach))
    else:
        found = _along(_WARM, (plain - low) / (high - low))
    found[~finite] = BONE
    return np.asarray(found, np.uint8)


def label_colours(keys: FloatArray, table: Mapping[int, tuple[str, tuple[float, float, float, float]]]) -> ByteArray:
    """(value, rgb): the colour of each key in the table; bone for keys that are not in it, or see-through."""
    whole = np.nan_to_num(keys, nan=0.0, posinf=0.0, neginf=0.0).astype(np.int64)
    unique, places = np.unique(whole, return_inverse=True)
    colours = np.array([_colour(table, int(key)) for key in unique], float).reshape(-1, 3)
    return np.asarray(np.clip(colours[places], 0, 255), np.uint8)


def _colour(table: Mapping[int, tuple[str, tuple[float, float, float, float]]], key: int) -> tuple[float, ...]:
    rgba = table[key][1] if key in table else (0.0, 0.0, 0.0, 0.0)
    return tuple(255 * part for part in rgba[:3]) if rgba[3] > 0 else BONE


def _along(ramp: FloatArray, share: FloatArray) -> FloatArray:
    """Colours on a ramp, 0 its beginning and 1 its end."""
    stops = np.linspace(0, 1, len(ramp))
    place = np.clip(share, 0, 1)
    return np.stack([np.interp(place, stops, ramp[:, part]) for part in range(3)], axis=1)
