"""Grayordinates → bytes of `.dtseries.nii`, `.dscalar.nii`, `.dlabel.nii` (CIFTI-2).

The XML header has one tag per line and values are float32, since viewers in browsers read it line by line.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
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
from connectomedb.demo.files.nifti import SYNTHETIC

_CIFTI_EXTENSION = 32
_SIDES = ("LEFT", "RIGHT")


class Intent(IntEnum):
    """What a CIFTI-2 file is. Source: CIFTI-2, NIfTI intent codes; there is none for labels of parcels."""

    UNKNOWN = 3000
    DENSE_SERIES = 3002
    PARCEL_CONNECTIVITY = 3003
    PARCEL_SERIES = 3004
    DENSE_SCALARS = 3006
    DENSE_LABELS = 3007
    PARCEL_SCALARS = 3008


_NAMES: Mapping[Intent, str] = {
    Intent.UNKNOWN: "ConnUnknown",
    Intent.DENSE_SERIES: "ConnDenseSeries",
    Intent.PARCEL_CONNECTIVITY: "ConnParcels",
    Intent.PARCEL_SERIES: "ConnParcelSries",
    Intent.DENSE_SCALARS: "ConnDenseScalar",
    Intent.DENSE_LABELS: "ConnDenseLabel",
    Intent.PARCEL_SCALARS: "ConnParcelScalr",
}
"""The names that go with them; NIfTI has fifteen letters for one."""

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
    rows = cifti2.SeriesAxis(0.0, step_s, len(values), unit="SECOND").to_mapping(0)
    return encode_matrix(values, rows, places.description, Intent.DENSE_SERIES)


def encode_scalars(values: FloatArray, places: Grayordinates, names: Sequence[str]) -> bytes:
    """Dense maps: float32 (map, grayordinate), and a name for each."""
    rows = cifti2.ScalarAxis(list(names)).to_mapping(0)
    return encode_matrix(values, rows, places.description, Intent.DENSE_SCALARS)


def encode_regions(values: FloatArray, places: Grayordinates, name: str) -> bytes:
    """The cortical region of each grayordinate: offset in the atlas on the left, 1000 higher on the right."""
    table = {key: (label, colour) for key, label, colour in region_table("L")}
    table |= {key + 1000: (label, colour) for key, label, colour in region_table("R") if key}
    rows = cifti2.LabelAxis([name], [table]).to_mapping(0)
    return encode_matrix(values[None, :], rows, places.description, Intent.DENSE_LABELS)


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


def encode_matrix(
    values: FloatArray, rows: cifti2.Cifti2MatrixIndicesMap, columns: cifti2.Cifti2MatrixIndicesMap, intent: Intent
) -> bytes:
    """Values float32 (row, column), with what rows and columns are."""
    matrix = cifti2.Cifti2Matrix()
    matrix.extend([rows, columns])
    xml = bytes(cifti2.Cifti2Header(matrix).to_xml()).replace(b"><", b">\n<")
    padded = xml + b"\0" * (-(len(xml) + 8) % 16)
    extension = struct.pack("=4B2i", 1, 0, 0, 0, len(padded) + 8, _CIFTI_EXTENSION) + padded
    header = nib.Nifti2Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((1, 1, 1, 1, *values.shape))
    header.set_intent(int(intent), name=_NAMES[intent], allow_unknown=True)
    header["descrip"] = SYNTHETIC
    header["magic"] = b"n+2"
    header["vox_offset"] = header.structarr.dtype.itemsize + len(extension)
    return bytes(header.binaryblock) + extension + values.astype(np.float32).tobytes(order="F")
