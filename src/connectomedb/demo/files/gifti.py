"""Surfaces and what lies on them → bytes of `.surf.gii`, `.shape.gii`, `.func.gii`, `.label.gii`."""

from collections.abc import Mapping

import nibabel as nib
import numpy as np
from nibabel import gifti

from connectomedb.demo.brain.labels import REGIONS
from connectomedb.demo.brain.template import FloatArray, IntArray

STRUCTURES: Mapping[str, str] = {"L": "CortexLeft", "R": "CortexRight"}
_ENCODING = "GIFTI_ENCODING_B64GZ"


def encode_surface(points: FloatArray, triangles: IntArray, hemisphere: str, kind: str) -> bytes:
    """A surface: points float32 (vertex, xyz) in mm, triangles int32 (triangle, corner).

    Args:
        points: vertices.
        triangles: vertex numbers, counter-clockwise from outside.
        hemisphere: `L` or `R`.
        kind: `midthickness`, `inflated` and so on; decides the geometric type that the file claims.
    """
    meta = gifti.GiftiMetaData(
        {
            "AnatomicalStructurePrimary": STRUCTURES[hemisphere],
            "AnatomicalStructureSecondary": _SECONDARY.get(kind, "MidThickness"),
            "GeometricType": _GEOMETRY.get(kind, "Anatomical"),
        }
    )
    place = gifti.GiftiCoordSystem("NIFTI_XFORM_TALAIRACH", "NIFTI_XFORM_TALAIRACH", np.eye(4))
    arrays = [
        _array(points.astype(np.float32), "NIFTI_INTENT_POINTSET", "NIFTI_TYPE_FLOAT32", meta, place),
        _array(triangles.astype(np.int32), "NIFTI_INTENT_TRIANGLE", "NIFTI_TYPE_INT32"),
    ]
    return _encode(arrays, hemisphere)


def encode_shape(values: FloatArray, hemisphere: str, name: str) -> bytes:
    """One number per vertex."""
    meta = gifti.GiftiMetaData({"Name": name})
    return _encode([_array(values.astype(np.float32), "NIFTI_INTENT_SHAPE", "NIFTI_TYPE_FLOAT32", meta)], hemisphere)


def encode_series(frames: FloatArray, hemisphere: str) -> bytes:
    """A time series: float32 (frame, vertex), one array per frame."""
    arrays = [_array(frame, "NIFTI_INTENT_TIME_SERIES", "NIFTI_TYPE_FLOAT32") for frame in frames.astype(np.float32)]
    return _encode(arrays, hemisphere)


def encode_regions(offsets: IntArray, hemisphere: str) -> bytes:
    """The cortical region of each vertex, by its offset in the atlas; 0 is none."""
    table = gifti.GiftiLabelTable()
    for key, name, colour in region_table(hemisphere):
        label = gifti.GiftiLabel(key, *colour)
        label.label = name
        table.labels.append(label)
    arrays = [_array(offsets.astype(np.int32), "NIFTI_INTENT_LABEL", "NIFTI_TYPE_INT32")]
    return _encode(arrays, hemisphere, table)


def region_table(hemisphere: str) -> list[tuple[int, str, tuple[float, float, float, float]]]:
    """Key, name and colour of each cortical region, and of key 0, which is none."""
    nothing = (0, "???", (0.0, 0.0, 0.0, 0.0))
    return [nothing, *((region.offset, f"{hemisphere}_{region.name}", region.colour) for region in REGIONS)]


_GEOMETRY = {"inflated": "Inflated", "very_inflated": "VeryInflated", "sphere": "Spherical"}
_SECONDARY = {"white": "GrayWhite", "pial": "Pial"}


def _array(
    values: FloatArray | IntArray,
    intent: str,
    datatype: str,
    meta: gifti.GiftiMetaData | None = None,
    place: gifti.GiftiCoordSystem | None = None,
) -> gifti.GiftiDataArray:
    return gifti.GiftiDataArray(values, intent, datatype, encoding=_ENCODING, coordsys=place, meta=meta)


def _encode(arrays: list[gifti.GiftiDataArray], hemisphere: str, table: gifti.GiftiLabelTable | None = None) -> bytes:
    meta = gifti.GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[hemisphere], "Note": "SYNTHETIC demo data"})
    content: bytes = nib.GiftiImage(meta=meta, labeltable=table, darrays=arrays).to_bytes()
    return content
