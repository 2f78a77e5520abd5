"""CIFTI-2 files: maps and series of grayordinates, or of parcels, which are painted on all vertices of theirs.

    NIfTI-2 header   extension with the XML   values: a row per grayordinate, its frames (maps) one after the other

So the series of one grayordinate is one run of bytes, which a client may fetch itself by a range request. A matrix of
connectivity has a map per grayordinate or parcel, which is its row: the matrix is its own transpose.
Source: CIFTI-2; nibabel reads the XML.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nibabel.cifti2 import Cifti2HeaderError
from nibabel.cifti2.parse_cifti2 import Cifti2Parser
from numpy.typing import NDArray

from connectomedb.errors import AddressError, DocumentError, NotFound
from connectomedb.server.images.reading import Reading
from connectomedb.server.images.volume import Volume, check_frame, read_extension, read_header

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Colour = tuple[float, float, float, float]

_XML = 32
_MOST_VERTICES = 1_000_000
_PREFIX = "CIFTI_STRUCTURE_"
_DENSE, _SERIES = "CIFTI_INDEX_TYPE_BRAIN_MODELS", "CIFTI_INDEX_TYPE_SERIES"
_PARCELS = "CIFTI_INDEX_TYPE_PARCELS"
_CONNECTIVITY = "connectivity"
_KINDS = {
    **{_SERIES: "series", "CIFTI_INDEX_TYPE_SCALARS": "scalars", "CIFTI_INDEX_TYPE_LABELS": "labels"},
    **{_DENSE: _CONNECTIVITY, _PARCELS: _CONNECTIVITY},
}
_SECONDS = {"SECOND": 1.0}


@dataclass(frozen=True, slots=True)
class Model:
    """One structure: its grayordinates from `start` on.

    Attributes:
        structure: `CORTEX_LEFT`, `THALAMUS_RIGHT`.
        vertices: number of the vertex of each; None for voxels.
        mesh: how many vertices the whole surface has; 0 for voxels.
        voxels: (grayordinate, ijk); None for vertices.
        rows: of parcels, the row of each vertex; None where every grayordinate has the next one.
    """

    structure: str
    start: int
    count: int
    mesh: int
    vertices: IntArray | None
    voxels: IntArray | None
    rows: IntArray | None = None

    def own(self, values: FloatArray) -> FloatArray:
        """Of the values of all rows those of this structure's grayordinates, or vertices."""
        return values[self.start : self.start + self.count] if self.rows is None else values[self.rows]


@dataclass(frozen=True, slots=True)
class Dense:
    """The header, checked.

    Attributes:
        kind: `series`, `scalars`, `labels` or `connectivity`.
        names: of maps; of a series none.
        tables: of labels, per map: key → name, colour.
        start_s, step_s: time of the first frame and between frames, where frames are moments.
        affine, grid: of the voxels.
    """

    header: Volume
    kind: str
    models: tuple[Model, ...]
    names: tuple[str, ...]
    tables: tuple[Mapping[int, tuple[str, Colour]], ...]
    start_s: float
    step_s: float
    affine: FloatArray | None
    grid: tuple[int, int, int] | None

    @property
    def frames(self) -> int:
        """Frames, or maps."""
        return self.header.dims[1]

    @property
    def count(self) -> int:
        """Grayordinates."""
        return self.header.dims[2]

    @property
    def row_bytes(self) -> int:
        """Bytes of one grayordinate's values."""
        return self.frames * self.header.dtype.itemsize

    def surface(self, structure: str) -> Model:
        """The part that lies on a surface. Raises NotFound."""
        for model in self.models:
            if model.structure == structure.upper().removeprefix(_PREFIX) and model.vertices is not None:
                return model
        known = ", ".join(model.structure for model in self.models if model.vertices is not None)
        raise NotFound(f"There is no surface of {structure!r} in this file. There are: {known or 'none'}.")


def read_dense(reading: Reading) -> Dense:
    """The header of a file. Raises DocumentError for what is no dense CIFTI-2 file."""
    header = read_header(reading)
    name = reading.source.name
    matrix = _parse(reading, header)
    try:
        maps, dense = matrix.get_index_map(0), matrix.get_index_map(1)
        kind = _KINDS.get(maps.indices_map_to_data_type)
        places, is_parcelled = dense.indices_map_to_data_type, dense.indices_map_to_data_type == _PARCELS
        if places not in (_DENSE, _PARCELS) or kind is None:
            raise DocumentError(f"Looked into {name}: it is a CIFTI file of a kind that cannot be shown.")
        is_square = kind != _CONNECTIVITY or (
            maps.indices_map_to_data_type == places and len(set(header.dims[1:])) == 1
        )
        if not is_square:
            raise DocumentError(f"Looked into {name}: it connects places of two kinds, and cannot be shown.")
        if len(header.dims) != 3 or header.shape != (1, 1, 1) or header.dims[0] != 1:
            raise DocumentError(f"Looked into {name}: its dimensions are not those of a CIFTI matrix.")
        if is_parcelled:
            models = tuple(_parcelled(dense, header.dims[2], name))
        else:
            models = tuple(_model(found, header.dims[2], name) for found in dense.brain_models)
        named = list(maps.named_maps) if kind in ("scalars", "labels") else []
        if len(named) not in (0, header.dims[1]):
            raise DocumentError(f"Looked into {name}: it names {len(named)} maps and has {header.dims[1]}.")
        start_s, step_s = _times(maps) if kind == "series" else (0.0, 0.0)
        affine, grid = _space(dense.volume)
    except (Cifti2HeaderError, AttributeError, KeyError, TypeError, ValueError, IndexError, OverflowError) as fault:
        if isinstance(fault, DocumentError):
            raise
        raise DocumentError(f"Looked into {name}: its CIFTI description makes no sense ({fault}).") from fault
    names = tuple(str(one.map_name) for one in named)
    if kind == _CONNECTIVITY and is_parcelled:
        names = tuple(str(one.name) for one in maps.parcels)
    tables = tuple(_table(one) for one in named) if kind == "labels" else ()
    return Dense(header, kind, models, names, tables, start_s, step_s, affine, grid)


def read_map(reading: Reading, dense: Dense, frame: int, model: Model | None = None) -> FloatArray:
    """One frame or map: a value per grayordinate, of all or of one model. Raises AddressError."""
    check_frame(frame, dense.frames)
    if dense.kind == _CONNECTIVITY:
        row = read_row(reading, dense, frame)
        return model.own(row) if model else row
    if model and model.rows is not None:
        return model.own(read_map(reading, dense, frame))
    start, count = (model.start, model.count) if model else (0, dense.count)
    reading.check_memory(8 * count)
    reading.skip_to(dense.header.offset + start * dense.row_bytes)
    item, found = dense.header.dtype.itemsize, []
    for piece in reading.pieces(count * dense.row_bytes, dense.row_bytes):
        column = np.frombuffer(piece, np.uint8).reshape(-1, dense.row_bytes)[:, frame * item : (frame + 1) * item]
        found.append(dense.header.values(column.tobytes()))
    return np.concatenate(found)


def read_row(reading: Reading, dense: Dense, index: int) -> FloatArray:
    """The series of one grayordinate: its values in all frames or maps. Raises AddressError."""
    if not 0 <= index < dense.count:
        raise AddressError(f"Asked for grayordinate {index}. There are {dense.count}, counted from 0.")
    reading.skip_to(dense.header.offset + index * dense.row_bytes)
    return dense.header.values(reading.read(dense.row_bytes))


def index_of_vertex(dense: Dense, structure: str, vertex: int) -> int:
    """The grayordinate at a vertex of a surface. Raises NotFound: the medial wall has none."""
    model = dense.surface(structure)
    assert model.vertices is not None, "surface() gives only such"
    found = np.flatnonzero(model.vertices == vertex)
    if not len(found):
        raise NotFound(f"Vertex {vertex} of {model.structure} is not among the grayordinates: it is no grey matter.")
    return model.start + int(found[0]) if model.rows is None else int(model.rows[found[0]])


def index_of_voxel(dense: Dense, voxel: Sequence[int]) -> int:
    """The grayordinate at a voxel. Raises NotFound."""
    for model in dense.models:
        if model.voxels is not None:
            found = np.flatnonzero((model.voxels == np.asarray(voxel)).all(axis=1))
            if len(found):
                return model.start + int(found[0])
    raise NotFound(f"Voxel {tuple(voxel)} is not among the grayordinates.")


def on_surface(model: Model, values: FloatArray) -> NDArray[np.float32]:
    """Values of a model's grayordinates as values of all vertices of the surface; where there are none, NaN."""
    whole = np.full(model.mesh, np.nan, np.float32)
    whole[model.vertices] = values
    return whole


def _parse(reading: Reading, header: Volume) -> Any:
    """The matrix that the XML describes."""
    name, due = reading.source.name, read_extension(reading, header, _XML)
    if due is None:
        raise DocumentError(f"Looked into {name}: it has no CIFTI description, or too long a one.")
    parser = Cifti2Parser()
    try:
        parser.parse(string=due)
        return parser.header.matrix
    except Exception as fault:  # nibabel raises errors of every kind on what is not well formed
        raise DocumentError(f"Looked into {name}: its CIFTI description cannot be read ({fault}).") from fault


def _model(found: Any, count: int, name: str) -> Model:
    start, size = int(found.index_offset), int(found.index_count)
    structure = str(found.brain_structure).removeprefix(_PREFIX)
    if start < 0 or size < 1 or start + size > count:
        raise DocumentError(f"Looked into {name}: the grayordinates of {structure} are not in the file.")
    if found.vertex_indices is not None:
        vertices, mesh = np.array(list(found.vertex_indices), np.int64), int(found.surface_number_of_vertices)
        if len(vertices) != size or mesh > 100 * count or vertices.min() < 0 or vertices.max() >= mesh:
            raise DocumentError(f"Looked into {name}: the vertices of {structure} are not those of its surface.")
        return Model(structure, start, size, mesh, vertices, None)
    voxels = np.array(list(found.voxel_indices_ijk), np.int64).reshape(-1, 3)
    if len(voxels) != size:
        raise DocumentError(f"Looked into {name}: the voxels of {structure} are not as many as it says.")
    return Model(structure, start, size, 0, None, voxels)


def _parcelled(described: Any, count: int, name: str) -> Iterator[Model]:
    """A model for each surface that parcels lie on. Their voxels are not shown."""
    parcels = list(described.parcels)
    if len(parcels) != count:
        raise DocumentError(f"Looked into {name}: it describes {len(parcels)} parcels and has {count}.")
    for surface in described.surfaces:
        structure, mesh = str(surface.brain_structure), int(surface.surface_number_of_vertices)
        pairs = [
            (int(vertex), row)
            for row, parcel in enumerate(parcels)
            for found in parcel.vertices
            if str(found.brain_structure) == structure
            for vertex in found
        ]
        if not pairs:
            continue
        vertices, rows = np.array(pairs, np.int64).T
        if mesh > _MOST_VERTICES or vertices.min() < 0 or vertices.max() >= mesh:
            raise DocumentError(f"Looked into {name}: the vertices of {structure} are not those of its surface.")
        yield Model(structure.removeprefix(_PREFIX), 0, count, mesh, vertices, None, rows)


def _times(maps: Any) -> tuple[float, float]:
    """Seconds of the first frame, and between two."""
    unit = _SECONDS.get(str(maps.series_unit), 0.0) * 10.0 ** int(maps.series_exponent)
    return float(maps.series_start) * unit, float(maps.series_step) * unit


def _space(volume: Any) -> tuple[FloatArray | None, tuple[int, int, int] | None]:
    if volume is None:
        return None, None
    x, y, z = (int(length) for length in volume.volume_dimensions)
    transform = volume.transformation_matrix_voxel_indices_ijk_to_xyz
    to_mm = np.diag([10.0 ** (int(transform.meter_exponent) + 3)] * 3 + [1.0])
    return to_mm @ np.asarray(transform.matrix, np.float64), (x, y, z)


def _table(named: Any) -> Mapping[int, tuple[str, Colour]]:
    table = named.label_table
    return {int(key): (str(label.label), tuple(label.rgba)) for key, label in table.items()} if table else {}
