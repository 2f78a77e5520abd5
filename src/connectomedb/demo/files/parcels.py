"""Values per cortical region → bytes of `.ptseries.nii`, `.pscalar.nii`, `.plabel.nii`, `.pconn.nii` (CIFTI-2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from nibabel import cifti2

from connectomedb.demo.brain.labels import REGIONS
from connectomedb.demo.brain.template import FloatArray, IntArray
from connectomedb.demo.files.cifti import Intent, encode_matrix

_SIDES: Mapping[str, str] = {"L": "CIFTI_STRUCTURE_CORTEX_LEFT", "R": "CIFTI_STRUCTURE_CORTEX_RIGHT"}


@dataclass(frozen=True, slots=True)
class Parcels:
    """The regions of both hemispheres that have a vertex, the left ones first.

    `vertices`: hemisphere and vertex numbers of each; `description`: the same as CIFTI's XML has it.
    """

    vertices: tuple[tuple[str, IntArray], ...]
    description: cifti2.Cifti2MatrixIndicesMap

    @classmethod
    def of(cls, regions: Mapping[str, IntArray]) -> Self:
        """`regions`: hemisphere `L`, `R` → region of each vertex by its offset in the atlas, 0 for none."""
        names, vertices = [], []
        for side, offsets in regions.items():
            for region in REGIONS:
                found = np.flatnonzero(offsets == region.offset).astype(np.int32)
                if len(found):
                    names.append(f"{side}_{region.name}")
                    vertices.append((side, found))
        axis = cifti2.ParcelsAxis(
            np.array(names),
            [np.empty((0, 3), np.int32)] * len(names),
            [{_SIDES[side]: found} for side, found in vertices],
            nvertices={_SIDES[side]: len(offsets) for side, offsets in regions.items()},
        )
        return cls(tuple(vertices), axis.to_mapping(1))

    def means(self, values: Mapping[str, FloatArray]) -> FloatArray:
        """Of values per hemisphere, float32 (map, vertex), the mean in each parcel: (map, parcel)."""
        columns = [values[side][:, found].mean(axis=1) for side, found in self.vertices]
        return np.stack(columns, axis=1).astype(np.float32)


def encode_parcel_series(values: FloatArray, parcels: Parcels, step_s: float) -> bytes:
    """A time series: float32 (frame, parcel)."""
    rows = cifti2.SeriesAxis(0.0, step_s, len(values), unit="SECOND")
    return encode_matrix(values, rows.to_mapping(0), parcels.description, Intent.PARCEL_SERIES)


def encode_parcel_scalars(values: FloatArray, parcels: Parcels, names: Sequence[str]) -> bytes:
    """Maps: float32 (map, parcel), and a name for each."""
    rows = cifti2.ScalarAxis(list(names)).to_mapping(0)
    return encode_matrix(values, rows, parcels.description, Intent.PARCEL_SCALARS)


def encode_parcel_labels(keys: IntArray, parcels: Parcels, name: str, table: Mapping[int, tuple[str, object]]) -> bytes:
    """One of the labels of a table for each parcel; `table`: key → name and red, green, blue, opacity."""
    rows = cifti2.LabelAxis([name], [dict(table)]).to_mapping(0)
    return encode_matrix(keys[None, :].astype(np.float32), rows, parcels.description, Intent.UNKNOWN)


def encode_parcel_connectivity(values: FloatArray, parcels: Parcels) -> bytes:
    """How each parcel goes with each other: float32 (parcel, parcel), symmetric."""
    rows = cifti2.Cifti2MatrixIndicesMap([0], parcels.description.indices_map_to_data_type)
    rows.extend(list(parcels.description))
    return encode_matrix(values, rows, parcels.description, Intent.PARCEL_CONNECTIVITY)
