"""Volumes whose values are keys of regions: their names and colours.

Workbench writes the table of labels into an extension of the header; HCP's own segmentations have one. Without it each
key has a colour by its number, the same for both hemispheres: FreeSurfer's keys of left and right differ by 1000.

Sources: NIfTI-1 extension codes (30 is Caret's); files written by wb_command -volume-label-import.
"""

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from connectomedb.server.images.colours import ByteArray
from connectomedb.server.images.reading import Reading
from connectomedb.server.images.volume import Volume, read_extension

CARET = 30
_GOLDEN = 0.618034
_LEVELS = ((0.75, 0.95), (0.55, 0.8), (0.9, 0.7), (0.4, 0.98))
"""Saturation and brightness, in turn: neighbours in number differ in more than hue."""

PALETTE: tuple[tuple[int, int, int], ...] = tuple(
    (round(255 * red), round(255 * green), round(255 * blue))
    for number in range(200)
    for red, green, blue in [colorsys.hsv_to_rgb(number * _GOLDEN % 1, *_LEVELS[number % len(_LEVELS)])]
)
"""The colour of a key that no table names is the one at `key % 200`."""


@dataclass(frozen=True, slots=True)
class Region:
    """One label: its name, and its colour."""

    name: str
    colour: tuple[int, int, int]


def read_regions(reading: Reading, volume: Volume) -> Mapping[int, Region]:
    """Key → region, as far as the file tells; what is no table is none. To be called just after the header."""
    document = read_extension(reading, volume, CARET)
    return _Table().read(document) if document else {}


def region_colours(values: NDArray[np.float64], table: Mapping[int, Region]) -> ByteArray:
    """(..., rgb): the colour of each key; what is no region, the key 0, is black."""
    keys = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).astype(np.int64)
    unique, places = np.unique(keys, return_inverse=True)
    colours = np.array([_colour(int(key), table) for key in unique], np.uint8).reshape(-1, 3)
    return np.asarray(colours[places.reshape(values.shape)], np.uint8)


def describe_regions(table: Mapping[int, Region]) -> dict[str, Any]:
    """The same rule, for clients."""
    named = {str(key): {"name": region.name, "colour": region.colour} for key, region in table.items()}
    return {"labels": named, "palette": PALETTE}


def _colour(key: int, table: Mapping[int, Region]) -> tuple[int, int, int]:
    if key == 0:
        return (0, 0, 0)
    return table[key].colour if key in table else PALETTE[key % len(PALETTE)]


class _Table:
    """Hears `<Label Key="2" Red="0.9" Green="0.9" Blue="0.9">Left-Cerebral-White-Matter</Label>`."""

    def __init__(self) -> None:
        self._found: dict[int, Region] = {}
        self._label: dict[str, str] | None = None
        self._name = ""

    def read(self, document: bytes) -> Mapping[int, Region]:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        try:
            parser.Parse(document, True)
        except (expat.ExpatError, ValueError, KeyError, OverflowError):
            return {}
        return self._found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "Label":
            self._label, self._name = attributes, ""

    def _hear(self, text: str) -> None:
        self._name += text if self._label is not None else ""

    def _end(self, tag: str) -> None:
        if tag == "Label" and self._label is not None:
            red, green, blue = (_byte(self._label[part]) for part in ("Red", "Green", "Blue"))
            self._found[int(self._label["Key"])] = Region(self._name.strip(), (red, green, blue))
            self._label = None


def _byte(share: str) -> int:
    return max(0, min(255, round(255 * float(share))))
