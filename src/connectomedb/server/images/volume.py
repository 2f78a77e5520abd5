"""NIfTI volumes, version 1 and 2, packed or not: what the header says, frames, and the series of one voxel.

Sources: nifti1.h and nifti2.h.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from connectomedb.errors import AddressError, DocumentError, TooLarge
from connectomedb.server.images.reading import Reading

FloatArray = NDArray[np.float64]

_SIZES = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
_MAGIC = (b"n+1", b"n+2")
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
_MOST_FRAMES = 1_000_000
_KINDS = "biuf"
_MOST_EXTENSION_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Volume:
    """The header of a volume, checked.

    Attributes:
        shape: voxels along x, y, z.
        dims: the header's dimensions beyond these.
        offset: where voxels begin, in bytes of the unpacked file.
        slope: stored values times this plus `inter` are values.
        affine: voxel → mm.
        step_s: seconds from frame to frame; 0 where time is not what frames differ in.
    """

    header: Any
    shape: tuple[int, int, int]
    dims: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    slope: float
    inter: float
    affine: FloatArray
    step_s: float

    @property
    def frames(self) -> int:
        """How many volumes there are."""
        return prod(self.dims)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def voxel_mm(self) -> tuple[float, ...]:
        """Lengths of a voxel's edges, by the affine."""
        return tuple(float(length) for length in np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0)))

    def values(self, stored: bytes) -> FloatArray:
        """Stored bytes → scaled values; of colours their mean, of complex numbers their size."""
        found = np.frombuffer(stored, self.dtype)
        if self.dtype.names:
            plain = np.mean([found[name].astype(float) for name in self.dtype.names[:3]], axis=0)
        else:
            plain = np.abs(found) if self.dtype.kind == "c" else found
        return np.asarray(plain, np.float64) * self.slope + self.inter


def read_header(reading: Reading) -> Volume:
    """The header at the beginning of a file. Raises DocumentError for what is no NIfTI volume."""
    name = reading.source.name
    block = reading.read(348)
    size = int.from_bytes(block[:4], "little")
    if size not in _SIZES:
        size = int.from_bytes(block[:4], "big")
    if size not in _SIZES:
        raise DocumentError(f"Looked into {name}: it does not begin like a NIfTI file.")
    block += reading.read(size - len(block))
    try:
        header = _SIZES[size](block)
        dims = tuple(int(length) for length in header.get_data_shape())
        dtype = header.get_data_dtype()
        slope, inter = header.get_slope_inter()
        affine = np.asarray(header.get_best_affine(), np.float64)
        offset = int(header["vox_offset"])
        step_s = _SECONDS.get(str(header.get_xyzt_units()[1]), 0.0) * float(header["pixdim"][4])
    except (HeaderDataError, WrapStructError, ValueError, KeyError, OverflowError, np.linalg.LinAlgError) as fault:
        raise DocumentError(f"Looked into {name}: its NIfTI header makes no sense ({fault}).") from fault
    x, y, z, *others = (*dims, 1, 1, 1)[: max(3, len(dims))]
    if bytes(header["magic"].item())[:3] not in _MAGIC:
        raise DocumentError(f"Looked into {name}: it has no voxels of its own, or is no NIfTI file.")
    if min(dims, default=0) < 1 or offset < size or not np.isfinite(affine).all():
        raise DocumentError(f"Looked into {name}: its NIfTI header makes no sense, {dims} voxels from byte {offset}.")
    if dtype.kind not in _KINDS + "cV" or (dtype.kind == "V" and not dtype.names):
        raise DocumentError(f"Looked into {name}: its voxels are of the kind {dtype}, which cannot be shown.")
    scale, shift = (1.0 if slope is None else float(slope)), (0.0 if inter is None else float(inter))
    return Volume(
        header, (x, y, z), tuple(others), dtype, offset, scale, shift, affine, step_s if np.isfinite(step_s) else 0.0
    )


def read_extension(reading: Reading, volume: Volume, code: int) -> bytes | None:
    """The content of the header's extension of a code, to be read just after the header; None where there is none."""
    order = ">" if volume.header.endianness == ">" else "<"
    flag = reading.read(4) if reading.position + 4 <= volume.offset else bytes(4)
    while flag[0] and reading.position + 8 <= volume.offset:
        size, found = (int(number) for number in np.frombuffer(reading.read(8), f"{order}i4"))
        if not 8 <= size <= volume.offset - reading.position + 8 or size > _MOST_EXTENSION_BYTES:
            return None
        content = reading.read(size - 8)
        if found == code:
            return content.rstrip(b"\0")
    return None


def read_series(reading: Reading, volume: Volume, voxel: tuple[int, int, int]) -> FloatArray:
    """The values of one voxel in all frames. Raises AddressError for a voxel that is outside."""
    if not all(0 <= index < length for index, length in zip(voxel, volume.shape, strict=True)):
        raise AddressError(f"Asked for the voxel {voxel}. The volume has {volume.shape} voxels, counted from 0.")
    if volume.frames > _MOST_FRAMES:
        raise TooLarge(f"Asked for a series of {volume.frames} frames. At most {_MOST_FRAMES} are given.")
    x, y, z = voxel
    place = volume.offset + (x + volume.shape[0] * (y + volume.shape[1] * z)) * volume.dtype.itemsize
    stored = bytearray()
    for frame in range(volume.frames):
        stored += reading.read_at(place + frame * volume.frame_bytes, volume.dtype.itemsize)
    return volume.values(bytes(stored))


def frame_as_file(reading: Reading, volume: Volume, frame: int) -> tuple[int, Iterator[bytes]]:
    """One frame as a NIfTI file without packing: how many bytes it has, and these. Raises AddressError."""
    check_frame(frame, volume.frames)
    reading.check_memory(volume.frame_bytes)
    header = volume.header.copy()
    header.set_data_shape(volume.shape)
    header["vox_offset"] = header.structarr.dtype.itemsize + 4
    written = io.BytesIO()
    written.write(header.binaryblock + bytes(4))

    def pieces() -> Iterator[bytes]:
        yield written.getvalue()
        reading.skip_to(volume.offset + frame * volume.frame_bytes)
        yield from reading.pieces(volume.frame_bytes)

    return len(written.getvalue()) + volume.frame_bytes, pieces()


def middle_slices(reading: Reading, volume: Volume, frame: int = 0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The three planes through the middle: (y, z), (x, z), (x, y). Only one plane is in memory at a time."""
    check_frame(frame, volume.frames)
    x, y, z = volume.shape
    plane_bytes = x * y * volume.dtype.itemsize
    reading.check_memory(8 * (x * y + y * z + x * z))
    across_x, across_y = np.zeros((y, z)), np.zeros((x, z))
    across_z = np.zeros((x, y))
    reading.skip_to(volume.offset + frame * volume.frame_bytes)
    for index in range(z):
        plane = volume.values(reading.read(plane_bytes)).reshape((x, y), order="F")
        across_x[:, index], across_y[:, index] = plane[x // 2], plane[:, y // 2]
        if index == z // 2:
            across_z = plane
    return across_x, across_y, across_z


def check_frame(frame: int, count: int) -> None:
    """Raises AddressError for a frame or map that there is not."""
    if not 0 <= frame < count:
        raise AddressError(f"Asked for frame {frame}. There are {count}, counted from 0.")
