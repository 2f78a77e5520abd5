"""Files of an import → which go into which resource of which scan, by what DICOM files say, else by their paths.

DICOM                                            scan of its series, resource DICOM
.../scans/1-T1w/resources/NIFTI/files/a.nii      scan 1, resource NIFTI: as the server's own zips have it
.../scans/1/NIFTI/a.nii                          the same
.../resources/NOTES/files/a.txt                  resource NOTES of the session
anything else                                    one resource, with its path as it is
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from connectomedb.server.intake.dicom import Header, read_header
from connectomedb.server.intake.part import Part

DICOM = "DICOM"
"""Label of the resource of a scan that has its images."""

_OF_SCAN = re.compile(r"(?:.*/)?scans/([^/]+)/(?:resources/([^/]+)/files|([^/]+))/(.+)")
_ID = re.compile(r"[A-Za-z0-9_]+")
_OF_SESSION = re.compile(r"(?:.*/)?resources/([^/]+)/files/(.+)")

Files: TypeAlias = list[tuple[str, Part]]


@dataclass(frozen=True, slots=True)
class Series:
    """The images of one scan, and what the first of them says."""

    id: str
    header: Header
    files: Files = field(default_factory=list)
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Sorted:
    """What came: scans by their images, and other files by scan ("" is the session itself) and resource."""

    series: Sequence[Series]
    others: dict[tuple[str, str], Files]


def sort_files(files: Sequence[tuple[str, Part]], resource: str) -> Sorted:
    """Say where each of these finished files goes; `resource` takes those that do not say it themselves."""
    series: dict[tuple[str, str], Series] = {}
    others: dict[tuple[str, str], Files] = {}
    for path, part in files:
        header = read_header(part.path)
        if header is None:
            place, inside = _place(path, resource)
            others.setdefault(place, []).append((inside, part))
            continue
        key = (header.series, header.series_uid)
        known = series.get(key) or series.setdefault(key, Series(_new_id(header, series), header))
        known.files.append((_image_name(path, header, known), part))
    return Sorted(tuple(series.values()), others)


def _new_id(header: Header, known: dict[tuple[str, str], Series]) -> str:
    """The number of the series; with a suffix where another series of the session has the same."""
    used = {series.id for series in known.values()}
    id = header.series or str(len(known) + 1)
    return next(name for name in (id, *(f"{id}-{number}" for number in range(2, len(used) + 3))) if name not in used)


def _image_name(path: str, header: Header, series: Series) -> str:
    """The last part of its path; where another image of the scan has the same, it is named by its UID or a number."""
    name = path.rpartition("/")[2]
    number = len(series.names) + 1
    names = (name, f"{header.image_uid or number}.dcm", f"{number}_{name}", f"{number}_{path.replace('/', '_')}")
    chosen = next(known for known in names if known not in series.names)
    series.names.add(chosen)
    return chosen


def _place(path: str, resource: str) -> tuple[tuple[str, str], str]:
    """Scan and resource of a file that is no DICOM, and its path in there."""
    if found := _OF_SCAN.fullmatch(path):
        return (_scan_id(found[1]), found[2] or found[3]), found[4]
    if found := _OF_SESSION.fullmatch(path):
        return ("", found[1]), found[2]
    return ("", resource), path


def _scan_id(folder: str) -> str:
    """The ID in front of a scan's type: `1-T1w`, as here, or `1_T1w`."""
    id = folder.partition("-")[0].rstrip("_")
    return id if _ID.fullmatch(id) else id.partition("_")[0]
