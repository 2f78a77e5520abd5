"""What DICOM files say of themselves: which person, session and scan they belong to, and how it was made.

Only elements that are named here are read, only when they are short, and never the picture. A file is DICOM when
`DICM` stands behind its preamble of 128 bytes. Source: DICOM part 10, and which fields XNAT fills from headers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAGIC_AT, MAGIC = 128, b"DICM"
MAX_VALUE_BYTES = 1_024
"""Longest value that is looked at, in bytes."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
"""Transfer syntax whose header is compressed, to be unpacked at any length before it is read: not looked into."""

_SCAN_TEXTS: Mapping[str, str] = {
    "SeriesDescription": "series_description",
    "SeriesInstanceUID": "UID",
    "Modality": "modality",
    "Manufacturer": "scanner/manufacturer",
    "ManufacturerModelName": "scanner/model",
    "BodyPartExamined": "bodyPartExamined",
    "MagneticFieldStrength": "fieldStrength",
}
_SCAN_NUMBERS: Mapping[str, str] = {
    "RepetitionTime": "parameters/tr",
    "EchoTime": "parameters/te",
    "InversionTime": "parameters/ti",
    "FlipAngle": "parameters/flip",
    "PixelBandwidth": "parameters/pixelBandwidth",
}
_OTHERS = ("PatientID", "PatientName", "StudyDate", "StudyInstanceUID", "SeriesNumber", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class Header:
    """What one file says.

    Attributes:
        patient, name: as the scanner knew the person; letters that no label has are `_`.
        date: of the session, `YYYYMMDD`, or "".
        fields: of the scan, by schema path.
    """

    patient: str = ""
    name: str = ""
    date: str = ""
    session_uid: str = ""
    series: str = ""
    series_uid: str = ""
    image_uid: str = ""
    modality: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def read_header(path: Path) -> Header | None:
    """The header of a file; None when it is no DICOM, or none that can be read."""
    with path.open("rb") as file:
        if file.read(MAGIC_AT + len(MAGIC))[MAGIC_AT:] != MAGIC:
            return None
    # A fifth of a server's start, and most servers never meet a DICOM file.
    from pydicom.filereader import read_file_meta_info

    try:
        if read_file_meta_info(path).get("TransferSyntaxUID") == _DEFLATED:
            return None
        return _header(_texts(path))
    except Exception:  # whatever the library makes of a file that is broken, or built to break it
        return None


def _texts(path: Path) -> dict[str, str]:
    """Short elements by their keywords, as text."""
    import pydicom

    wanted = [*_SCAN_TEXTS, *_SCAN_NUMBERS, *_OTHERS]
    dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*wanted], defer_size=MAX_VALUE_BYTES)
    found: dict[str, str] = {}
    for keyword in wanted:
        raw = dataset.get_item(keyword)
        if raw is None or raw.value is None:  # missing, or longer than is read
            continue
        found[keyword] = "".join(letter for letter in str(dataset.get(keyword, "")) if letter.isprintable()).strip()
    return {keyword: text[:255] for keyword, text in found.items() if text}


def _header(texts: Mapping[str, str]) -> Header:
    fields = {path: texts[keyword] for keyword, path in _SCAN_TEXTS.items() if keyword in texts}
    fields |= {path: texts[word] for word, path in _SCAN_NUMBERS.items() if word in texts and _is_number(texts[word])}
    if "SeriesDescription" in texts:
        fields["type"] = texts["SeriesDescription"]
    date = texts.get("StudyDate", "")
    return Header(
        patient=_label(texts.get("PatientID", "")),
        name=_label(texts.get("PatientName", "")),
        date=date if len(date) == len("YYYYMMDD") and date.isascii() and date.isdecimal() else "",
        session_uid=texts.get("StudyInstanceUID", ""),
        series=_label(texts.get("SeriesNumber", "")),
        series_uid=texts.get("SeriesInstanceUID", ""),
        image_uid=_label(texts.get("SOPInstanceUID", "")),
        modality=texts.get("Modality", "").upper(),
        fields=fields,
    )


def _label(text: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "_" for letter in text)


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
