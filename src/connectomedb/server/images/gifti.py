"""GIFTI files: surfaces, and values or labels for their vertices, read within bounds.

nibabel's reader follows the names of outside files that a document may give, and unpacks without a limit. Files here
come from whoever may upload, so they are read by this one, which does neither.

Source: GIFTI 1.0.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from connectomedb.errors import DocumentError, TooLarge
from connectomedb.server.images.reading import Reading

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Colour = tuple[float, float, float, float]

_TYPES = {"NIFTI_TYPE_UINT8": "u1", "NIFTI_TYPE_INT32": "i4", "NIFTI_TYPE_FLOAT32": "f4", "NIFTI_TYPE_FLOAT64": "f8"}
_POINTS, _TRIANGLES, _LABELS = "NIFTI_INTENT_POINTSET", "NIFTI_INTENT_TRIANGLE", "NIFTI_INTENT_LABEL"
_MOST_DIMENSIONS = 6
_MOST_ARRAYS = 100_000
_STRUCTURE = "AnatomicalStructurePrimary"


@dataclass
class Part:
    """One data array."""

    intent: str
    values: NDArray[np.generic]
    meta: dict[str, str] = field(default_factory=dict)


@dataclass
class Gifti:
    """A document: its arrays, label table (key → name, colour) and metadata."""

    parts: list[Part] = field(default_factory=list)
    labels: dict[int, tuple[str, Colour]] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)

    @property
    def points(self) -> FloatArray | None:
        """Vertices of a surface, (vertex, xyz) in mm."""
        return next((np.asarray(part.values, np.float32) for part in self.parts if part.intent == _POINTS), None)

    @property
    def triangles(self) -> IntArray | None:
        """Its triangles, as numbers of vertices."""
        return next((np.asarray(part.values, np.int64) for part in self.parts if part.intent == _TRIANGLES), None)

    @property
    def maps(self) -> list[Part]:
        """What is neither: values per vertex."""
        return [part for part in self.parts if part.intent not in (_POINTS, _TRIANGLES)]

    @property
    def is_labels(self) -> bool:
        """Whether its values are keys of the label table."""
        return any(part.intent == _LABELS for part in self.parts)

    @property
    def structure(self) -> str:
        """What it is a surface of, as GIFTI writes it: `CortexLeft`; empty when it does not say."""
        return next((m[_STRUCTURE] for m in (self.meta, *(part.meta for part in self.parts)) if _STRUCTURE in m), "")


def read_gifti(reading: Reading) -> Gifti:
    """A whole document. Raises DocumentError for what is none, TooLarge beyond the limits, StoreError."""
    name = reading.source.name
    try:
        made = _Builder(reading).build(reading.rest())
    except (expat.ExpatError, KeyError, ValueError, TypeError, binascii.Error, zlib.error) as fault:
        if isinstance(fault, DocumentError):
            raise
        raise DocumentError(f"Looked into {name}: it is no GIFTI file that can be shown ({fault}).") from fault
    if not made.parts:
        raise DocumentError(f"Looked into {name}: it is no GIFTI file, or holds nothing.")
    _check(made, name)
    return made


def _check(made: Gifti, name: str) -> None:
    points, triangles = made.points, made.triangles
    if points is None:
        if any(part.values.ndim != 1 and part.values.shape[1:] != (1,) for part in made.maps):
            raise DocumentError(f"Looked into {name}: its values are not one number per vertex, so it cannot be shown.")
        return
    if triangles is None or points.ndim != 2 or triangles.ndim != 2 or {points.shape[1], triangles.shape[1]} != {3}:
        raise DocumentError(f"Looked into {name}: its points and triangles are not those of a surface.")
    if triangles.size and not (triangles.min() >= 0 and triangles.max() < len(points)):
        raise DocumentError(f"Looked into {name}: its triangles name vertices that it does not have.")


class _Builder:
    """Hears the document's elements as they come."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._made = Gifti()
        self._form: dict[str, str] | None = None
        self._meta: dict[str, str] = {}
        self._text: list[str] = []
        self._name = ""
        self._label: dict[str, str] = {}
        self._kept = 0

    def build(self, document: bytes) -> Gifti:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = self._refuse_entity
        parser.Parse(document, True)
        return self._made

    def _refuse_entity(self, *declared: object) -> None:
        raise ValueError("it declares entities")

    def _start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._text.clear()
        if tag == "DataArray":
            self._form, self._meta = dict(attributes), {}
        elif tag == "Label":
            self._label = dict(attributes)

    def _end(self, tag: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        match tag:
            case "Name":
                self._name = text.strip()
            case "Value":
                (self._made.meta if self._form is None else self._meta)[self._name] = text.strip()
            case "Label":
                colour = tuple(float(self._label.get(part, 1)) for part in ("Red", "Green", "Blue", "Alpha"))
                red, green, blue, alpha = colour
                key = int(self._label["Key"] if "Key" in self._label else self._label["Index"])
                self._made.labels[key] = (text.strip(), (red, green, blue, alpha))
            case "Data" if self._form is not None:
                self._made.parts.append(Part(self._form["Intent"], self._values(self._form, text), self._meta))
            case "DataArray":
                self._form = None

    def _values(self, form: Mapping[str, str], text: str) -> NDArray[np.generic]:
        if len(self._made.parts) >= _MOST_ARRAYS:
            raise TooLarge(f"Looked into {self._reading.source.name}: it has more than {_MOST_ARRAYS} arrays.")
        count = int(form["Dimensionality"])
        if not 1 <= count <= _MOST_DIMENSIONS:
            raise ValueError(f"an array of {count} dimensions")
        shape = tuple(int(form[f"Dim{axis}"]) for axis in range(count))
        order = ">" if form["Endian"] == "BigEndian" else "<"
        dtype = np.dtype(order + _TYPES[form["DataType"]])
        if min(shape) < 1:
            raise ValueError(f"an array of {shape}")
        due = prod(shape) * dtype.itemsize
        self._kept += due
        self._reading.check_memory(self._kept)
        match form["Encoding"]:
            case "ASCII":
                values = np.array(text.split(), dtype)
            case "Base64Binary":
                values = np.frombuffer(base64.b64decode(text), dtype)
            case "GZipBase64Binary":
                stream = zlib.decompressobj()
                content = stream.decompress(base64.b64decode(text), due)
                if len(content) != due or stream.unconsumed_tail:
                    raise ValueError("an array of another length than its header says")
                values = np.frombuffer(content, dtype)
            case other:
                raise ValueError(f"an array in the encoding {other}")
        column_major = form.get("ArrayIndexingOrder") == "ColumnMajorOrder"
        return np.asarray(values.reshape(shape, order="F" if column_major else "C"))
