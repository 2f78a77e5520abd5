"""Arrays → bytes of `.nii.gz` files, the same bytes for the same array on every run.

The gzip header holds no time and no name.
"""

import zlib
from enum import IntEnum

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

SYNTHETIC = b"SYNTHETIC demo data, no real person"
NO_EXTENSION = b"\0\0\0\0"
_GZIP_WINDOW = 31
_LEVEL = 4


class Space(IntEnum):
    """What a volume's coordinates mean. Source: NIfTI-1, codes of qform and sform."""

    SCANNER = 1
    ALIGNED = 2
    MNI = 4


def encode_volume(
    values: NDArray[np.generic],
    affine: NDArray[np.float64],
    space: Space,
    *,
    step_s: float | None = None,
    slope: float = 1,
    intent: str = "none",
) -> bytes:
    """A gzipped NIfTI-1 file.

    Args:
        values: (x, y, z) or (x, y, z, frame); floats are stored as float32, whole numbers as uint8 or int16.
        affine: voxel → mm.
        space: what the millimetres refer to.
        step_s: seconds between frames; None for anything but a time series.
        slope: what stored values are to be multiplied by.
        intent: what the values are, by nibabel's names: `z score`.
    """
    dtype = _stored_type(values)
    header = nib.Nifti1Header()
    header.set_data_dtype(dtype)
    header.set_data_shape(values.shape)
    header.set_sform(affine, int(space))
    header.set_qform(affine, int(space))
    header.set_xyzt_units("mm", "sec" if step_s is not None else "unknown")
    if step_s is not None:
        header["pixdim"][4] = step_s
    if slope != 1:
        header.set_slope_inter(slope, 0)
    header.set_intent(intent)
    header["descrip"] = SYNTHETIC
    header["magic"] = b"n+1"
    header["vox_offset"] = header.structarr.dtype.itemsize + len(NO_EXTENSION)
    return gzipped(header.binaryblock + NO_EXTENSION + values.astype(dtype).tobytes(order="F"))


def whole(values: NDArray[np.generic]) -> NDArray[np.int16]:
    """Values rounded to int16."""
    return np.asarray(np.rint(values), np.int16)


def _stored_type(values: NDArray[np.generic]) -> type[np.float32] | type[np.uint8] | type[np.int16]:
    """float32 for fractions; the smaller of two types that holds whole numbers."""
    if values.dtype.kind == "f":
        return np.float32
    return np.uint8 if values.min() >= 0 and values.max() <= 255 else np.int16


def gzipped(content: bytes) -> bytes:
    """The bytes as a gzip file without time stamp."""
    return zlib.compress(content, _LEVEL, wbits=_GZIP_WINDOW)
