"""Grayordinates → bytes of `.dtseries.nii`, `.dscalar.nii`, `.dlabel.nii` (CIFTI-2).

The XML header has one tag per line and values are float32, since viewers in browsers read it line by line.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Self

import nibabel as nib
import numpy as np
from nibabel import cifti2
from numpy.typing import NDArray

from connectomedb.demo.brain.anatomy import Grid
from connectomedb.demo.brain.labels import NUCLEI, Labelling
from connectomedb.demo.brain.template import FloatArray
from connectomedb.demo.files.gifti import region_table

_CIFTI_EXTENSION = 32
_SERIES, _SCALARS, _LABELS = 3002, 3006, 3007
_NAMES = {_SERIES: "ConnDenseSeries", _SCALARS: "ConnDenseScalar", _LABELS: "ConnDenseLabel"}
_SIDES = ("LEFT", "RIGHT")

DEEP_LABELS = tuple(label for nucleus in NUCLEI.values() for label in (nucleus.left, nucleus.right))
"""FreeSurfer's numbers of the deep structures that count as grayordinates."""


@dataclass(frozen=True, slots=True)
class Grayordinates:
    """Places on the cortex, then perhaps in the deep structures; the order of columns in a CIFTI file.

    Kept with its XML description, which takes long to make and is the same in many files.
    """

    count: int
    description: cifti2.Cifti2MatrixIndicesMap

    @classmethod
    def of(cls, used: Mapping[str, NDArray[np.bool_]], deep: tuple[Labelling, Grid] | None = None) -> Self:
        """`used`: hemisphere `L`, `R` → which vertices lie in cortex; `deep`: a grid and its labels."""
        axis = _cortex_axis(used) if deep is None else _cortex_axis(used) + _deep_axis(*deep)
        return cls(len(axis), axis.to_mapping(1))


def deep_values(volume: NDArray[np.generic], labelling: Labelling) -> NDArray[np.generic]:
    """A volume's (or series') values in the deep structures: (voxel,) or (voxel, frame)."""
    return np.concatenate([volume[labelling.nucleus(name, side)] for name, side in _deep_parts(labelling)])


def encode_series(values: FloatArray, places: Grayordinates, step_s: float) -> bytes:
    """A dense time series: float32 (frame, grayordinate)."""
    return _encode(values, cifti2.SeriesAxis(0.0, step_s, len(values), unit="SECOND"), places, _SERIES)


def encode_scalars(values: FloatArray, places: Grayordinates, names: Sequence[str]) -> bytes:
    """Dense maps: float32 (map, grayordinate), and a name for each."""
    return _encode(values, cifti2.ScalarAxis(list(names)), places, _SCALARS)


def encode_regions(values: FloatArray, places: Grayordinates, name: str) -> bytes:
    """The cortical region of each grayordinate: offset in the atlas on the left, 1000 higher on the right."""
    table = {key: (label, colour) for key, label, colour in region_table("L")}
    table |= {key + 1000: (label, colour) for key, label, colour in region_table("R") if key}
    return _encode(values[None, :], cifti2.LabelAxis([name], [table]), places, _LABELS)


def _cortex_axis(used: Mapping[str, NDArray[np.bool_]]) -> cifti2.BrainModelAxis:
    left, right = (
        cifti2.BrainModelAxis.from_surface(np.flatnonzero(mask), len(mask), f"CIFTI_STRUCTURE_CORTEX_{side}")
        for mask, side in zip((used["L"], used["R"]), _SIDES, strict=True)
    )
    return left + right


def _deep_axis(labels: Labelling, grid: Grid) -> cifti2.BrainModelAxis:
    axes = (
        cifti2.BrainModelAxis.from_mask(
            labels.nucleus(name, side), f"CIFTI_STRUCTURE_{name}_{_SIDES[side]}", grid.affine
        )
        for name, side in _deep_parts(labels)
    )
    return reduce(add, axes)


def _deep_parts(labelling: Labelling) -> list[tuple[str, int]]:
    """The deep structures that have a voxel at all; small ones vanish on coarse grids."""
    return [(name, side) for name in NUCLEI for side in (0, 1) if labelling.nucleus(name, side).any()]


def _encode(values: FloatArray, rows: cifti2.Axis, places: Grayordinates, intent: int) -> bytes:
    matrix = cifti2.Cifti2Matrix()
    matrix.extend([rows.to_mapping(0), places.description])
    xml = bytes(cifti2.Cifti2Header(matrix).to_xml()).replace(b"><", b">\n<")
    padded = xml + b"\0" * (-(len(xml) + 8) % 16)
    extension = struct.pack("=4B2i", 1, 0, 0, 0, len(padded) + 8, _CIFTI_EXTENSION) + padded
    header = nib.Nifti2Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((1, 1, 1, 1, *values.shape))
    header.set_intent(intent, name=_NAMES[intent], allow_unknown=True)
    header["magic"] = b"n+2"
    header["vox_offset"] = header.structarr.dtype.itemsize + len(extension)
    return bytes(header.binaryblock) + extension + values.astype(np.float32).tobytes(order="F")
