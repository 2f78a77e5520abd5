"""One look into an image: what it is, a frame of it as a file, a series as numbers, a picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import nibabel as nib
import numpy as np
from nibabel import gifti as nib_gifti
from numpy.typing import NDArray

from connectomedb.errors import AddressError, DocumentError
from connectomedb.hcp.images import HEMISPHERES, ImageKind, has_regions, hemisphere_of
from connectomedb.server.images.colours import label_colours, map_colours
from connectomedb.server.images.dense import (
    Dense,
    index_of_vertex,
    index_of_voxel,
    on_surface,
    read_dense,
    read_map,
    read_row,
)
from connectomedb.server.images.gifti import Gifti, read_gifti
from connectomedb.server.images.picture import carpet_picture, slices_picture, surfaces_picture
from connectomedb.server.images.reading import Reading, Source
from connectomedb.server.images.regions import describe_regions, read_regions, region_colours
from connectomedb.server.images.volume import check_frame, frame_as_file, middle_slices, read_header, read_series
from connectomedb.server.settings import ImageSettings

_GIFTI_STRUCTURES = {"CORTEX_LEFT": "CortexLeft", "CORTEX_RIGHT": "CortexRight"}
_CARPET_ROWS = 512
_INTENTS = {
    **{"series": "NIFTI_INTENT_TIME_SERIES", "labels": "NIFTI_INTENT_LABEL"},
    **dict.fromkeys(("scalars", "connectivity"), "NIFTI_INTENT_SHAPE"),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as a file: its name, how many bytes, and these."""

    name: str
    length: int
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Look:
    """A file to be looked into, of a kind, within limits."""

    source: Source
    kind: ImageKind
    limits: ImageSettings

    def describe(self) -> dict[str, Any]:
        """What it is, as plain values."""
        reading = Reading(self.source, self.limits)
        common = {"kind": self.kind.value, "name": self.source.name, "packed": reading.is_packed}
        match self.kind:
            case ImageKind.VOLUME:
                volume = read_header(reading)
                table = read_regions(reading, volume) if has_regions(self.source.name) else None
                return common | {
                    "regions": None if table is None else describe_regions(table),
                    **{"shape": volume.shape, "frames": volume.frames, "dtype": volume.dtype.str},
                    **{"voxel_mm": volume.voxel_mm, "affine": volume.affine.tolist()},
                    **{"start_s": 0.0, "step_s": volume.step_s},
                    **{"slope": volume.slope, "inter": volume.inter, "offset": volume.offset},
                }
            case ImageKind.DENSE:
                return common | _describe_dense(read_dense(reading))
            case _:
                return common | _describe_gifti(read_gifti(reading))

    def frame(self, number: int, structure: str) -> Frame:
        """One frame or map: of a volume as NIfTI, of all else as GIFTI values of one surface.

        Raises AddressError, NotFound, DocumentError, TooLarge, StoreError.
        """
        reading = Reading(self.source, self.limits)
        stem = self.source.name.partition(".")[0]
        if self.kind is ImageKind.VOLUME:
            length, pieces = frame_as_file(reading, read_header(reading), number)
            return Frame(f"{stem}.{number}.nii", length, pieces)
        if self.kind is ImageKind.DENSE:
            dense = read_dense(reading)
            model = dense.surface(structure)
            values = on_surface(model, read_map(reading, dense, number, model))
            table = dense.tables[number] if dense.tables else {}
            is_labels, intent = dense.kind == "labels", _INTENTS[dense.kind]
            structure = model.structure
        else:
            document = read_gifti(reading)
            check_frame(number, len(document.maps))
            values, table = np.ravel(document.maps[number].values), document.labels
            is_labels, intent = document.is_labels, document.maps[number].intent
            structure = _structure(document, self.source.name)
        content = _as_gifti(values, structure, intent, table if is_labels else {})
        ending = "label" if is_labels else "func"
        return Frame(f"{stem}.{structure}.{number}.{ending}.gii", len(content), iter([content]))

    def series(self, words: str) -> dict[str, Any]:
        """The values of one place in all frames: `i,j,k`, a grayordinate, a vertex, or `CORTEX_LEFT,vertex`."""
        reading = Reading(self.source, self.limits)
        structure, numbers = _place(words)
        if self.kind is ImageKind.VOLUME:
            volume = read_header(reading)
            if len(numbers) != 3 or structure:
                raise _no_place(words, "i,j,k")
            values = read_series(reading, volume, (numbers[0], numbers[1], numbers[2]))
            return _series(values, 0.0, volume.step_s, {"voxel": numbers})
        if self.kind is ImageKind.DENSE:
            dense = read_dense(reading)
            if structure and len(numbers) == 1:
                index = index_of_vertex(dense, structure, numbers[0])
            elif len(numbers) == 3 and not structure:
                index = index_of_voxel(dense, numbers)
            elif len(numbers) == 1:
                index = numbers[0]
            else:
                raise _no_place(words, "CORTEX_LEFT,vertex or i,j,k or a grayordinate")
            return _series(read_row(reading, dense, index), dense.start_s, dense.step_s, {"grayordinate": index})
        document = read_gifti(reading)
        if len(numbers) != 1 or structure or not document.maps:
            raise _no_place(words, "vertex")
        columns = [np.ravel(part.values) for part in document.maps]
        if not all(0 <= numbers[0] < len(column) for column in columns):
            raise AddressError(f"Asked for vertex {numbers[0]}. There are {len(columns[0])}, counted from 0.")
        return _series(np.array([column[numbers[0]] for column in columns], float), 0.0, 0.0, {"vertex": numbers[0]})

    def picture(self, surfaces: Mapping[str, Source], width: int) -> bytes:
        """A PNG of so many pixels across. `surfaces`: hemisphere → the surface that values are shown on."""
        reading = Reading(self.source, self.limits)
        match self.kind:
            case ImageKind.VOLUME:
                volume = read_header(reading)
                paint = None
                if has_regions(self.source.name):
                    paint = partial(region_colours, table=read_regions(reading, volume))
                return slices_picture(middle_slices(reading, volume), volume.affine, volume.voxel_mm, width, paint)
            case ImageKind.SURFACE:
                document = read_gifti(reading)
                return _picture_of_surfaces([(_side(document, self.source.name), document, None)], width)
            case ImageKind.DENSE:
                return self._picture_of_dense(reading, surfaces, width)
            case _:
                document = read_gifti(reading)
                values = np.ravel(document.maps[0].values).astype(float) if document.maps else np.zeros(0)
                side = _side(document, self.source.name)
                if side not in surfaces:
                    return carpet_picture(values[None, :], width)
                colours = label_colours(values, document.labels) if document.is_labels else map_colours(values)
                return _picture_of_surfaces([(side, self._surface(surfaces[side]), colours)], width)

    def _picture_of_dense(self, reading: Reading, surfaces: Mapping[str, Source], width: int) -> bytes:
        dense = read_dense(reading)
        values = read_map(reading, dense, 0)
        sides = []
        for side, structure in HEMISPHERES.items():
            model = next((m for m in dense.models if m.structure == structure and m.vertices is not None), None)
            if model is None or side not in surfaces:
                continue
            whole = on_surface(model, model.own(values)).astype(float)
            colours = label_colours(whole, dense.tables[0]) if dense.tables else map_colours(whole)
            sides.append((side, self._surface(surfaces[side]), colours))
        if sides:
            return _picture_of_surfaces(sides, width)
        return carpet_picture(values[None, : _CARPET_ROWS * (len(values) // _CARPET_ROWS) or None], width)

    def _surface(self, source: Source) -> Gifti:
        return read_gifti(Reading(source, self.limits))


def _picture_of_surfaces(sides: Sequence[tuple[str, Gifti, NDArray[np.uint8] | None]], width: int) -> bytes:
    drawn = []
    for side, document, colours in sides:
        points, triangles = document.points, document.triangles
        if points is None or triangles is None:
            raise DocumentError("The surface has no points and triangles. It cannot be shown.")
        if colours is not None and len(colours) != len(points):
            raise DocumentError(f"There are {len(colours)} values for a surface of {len(points)} vertices.")
        drawn.append((side, points.astype(float), triangles, colours))
    return surfaces_picture(drawn, width)


def _describe_dense(dense: Dense) -> dict[str, Any]:
    return {
        "content": dense.kind,
        "frames": dense.frames,
        "maps": dense.names,
        "dtype": dense.header.dtype.str,
        "slope": dense.header.slope,
        "inter": dense.header.inter,
        "offset": dense.header.offset,
        "grayordinates": dense.count,
        "start_s": dense.start_s,
        "step_s": dense.step_s,
        "models": [
            {
                "structure": model.structure,
                "start": model.start,
                "count": model.count,
                "mesh": model.mesh,
                "vertices": _runs(model.vertices.tolist())
                if model.vertices is not None and model.rows is None
                else None,
            }
            for model in dense.models
        ],
    }


def _describe_gifti(document: Gifti) -> dict[str, Any]:
    points, triangles, maps = document.points, document.triangles, document.maps
    return {
        "structure": document.structure,
        "vertices": len(points) if points is not None else len(np.ravel(maps[0].values)) if maps else 0,
        "triangles": 0 if triangles is None else len(triangles),
        "frames": len(maps),
        "maps": [part.meta.get("Name", "") for part in maps[:1000]],
        "labels": {str(key): name for key, (name, _) in document.labels.items()},
    }


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Numbers as runs, (first, how many): a cortex has few holes."""
    grouped = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    found = [[number for _, number in run] for _, run in grouped]
    return [(run[0], len(run)) for run in found]


def _as_gifti(
    values: NDArray[Any], structure: str, intent: str, table: Mapping[int, tuple[str, tuple[float, ...]]]
) -> bytes:
    """Values of all vertices of a surface as a GIFTI document."""
    meta = nib_gifti.GiftiMetaData({"AnatomicalStructurePrimary": _GIFTI_STRUCTURES.get(structure, structure)})
    labels = nib_gifti.GiftiLabelTable()
    for key, (name, colour) in table.items():
        label = nib_gifti.GiftiLabel(key, *colour)
        label.label = name
        labels.labels.append(label)
    if table:
        stored, kind = np.nan_to_num(values, nan=0.0).astype(np.int32), "NIFTI_TYPE_INT32"
    else:
        stored, kind = values.astype(np.float32), "NIFTI_TYPE_FLOAT32"
    array = nib_gifti.GiftiDataArray(stored, intent, kind, encoding="GIFTI_ENCODING_B64GZ")
    content: bytes = nib.GiftiImage(meta=meta, labeltable=labels, darrays=[array]).to_bytes()
    return content


def _structure(document: Gifti, name: str) -> str:
    known = {value: key for key, value in _GIFTI_STRUCTURES.items()}
    return known.get(document.structure) or HEMISPHERES.get(hemisphere_of(name) or "", "CORTEX")


def _side(document: Gifti, name: str) -> str:
    return "R" if _structure(document, name) == "CORTEX_RIGHT" else "L"


def _place(words: str) -> tuple[str, list[int]]:
    """`CORTEX_LEFT,12` or `1,2,3` → the structure, if there is one, and the numbers."""
    parts = [part.strip() for part in words.split(",")]
    structure = parts.pop(0) if parts and not parts[0].isdecimal() else ""
    if not parts or len(parts) > 3 or not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise _no_place(words, "i,j,k")
    return structure, [int(part) for part in parts]


def _no_place(words: str, form: str) -> AddressError:
    return AddressError(f"Asked for the series of {words!r}. Of such a file write series={form}, counted from 0.")


def _series(values: NDArray[np.float64], start_s: float, step_s: float, place: Mapping[str, Any]) -> dict[str, Any]:
    plain = [float(value) if np.isfinite(value) else None for value in values]
    return {**place, "count": len(plain), "start_s": start_s, "step_s": step_s, "values": plain}
