import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import ManifestError
from connectomedb.hcp.manifest import (
    Entry,
    Manifest,
    format_manifest,
    join_entries,
    manifest_path,
    parse_manifest,
)

MD5 = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


def _document(*includes: dict[str, Any], subject: Any = "999001") -> bytes:
    return json.dumps(
        {"DownloadManifest": {"Subject": subject, "Version": "1.0.20130214", "Includes": includes}}
    ).encode()


def _include(uri: str = "999001/T1w/x.nii.gz", size: Any = "36", md5: Any = MD5) -> dict[str, Any]:
    return {"Name": uri.rpartition("/")[2], "URI": uri, "Size": size, "Checksum": md5}


def _without(key: str) -> dict[str, Any]:
    return {name: value for name, value in _include().items() if name != key}


READ = {
    "size as text": (_include(size="36"), Entry("T1w/x.nii.gz", 36, MD5)),
    "size as number": (_include(size=36), Entry("T1w/x.nii.gz", 36, MD5)),
    "empty file": (_include(size="0"), Entry("T1w/x.nii.gz", 0, MD5)),
    "more than 32 bits": (_include(size="4330000000"), Entry("T1w/x.nii.gz", 4330000000, MD5)),
    "checksum in capitals": (_include(md5=MD5.upper()), Entry("T1w/x.nii.gz", 36, MD5)),
    "FreeSurfer's folder": (_include("999001/T1w/999001/mri/x.mgz"), Entry("T1w/999001/mri/x.mgz", 36, MD5)),
    "plus": (_include("999001/T1w/aparc+aseg.nii.gz"), Entry("T1w/aparc+aseg.nii.gz", 36, MD5)),
    "hidden file": (_include("999001/x.ica/.fix"), Entry("x.ica/.fix", 36, MD5)),
    "no name": (_without("Name"), Entry("T1w/x.nii.gz", 36, MD5)),
}

REFUSED = {
    "negative size": _document(_include(size="-1")),
    "negative number": _document(_include(size=-1)),
    "fraction": _document(_include(size=1.5)),
    "exponent": _document(_include(size="1e3")),
    "signed": _document(_include(size="+1")),
    "blank": _document(_include(size=" 1")),
    "grouped": _document(_include(size="1_000")),
    "no decimal digits": _document(_include(size="\u0663")),
    "no size": _document(_without("Size")),
    "empty size": _document(_include(size="")),
    "size null": _document(_include(size=None)),
    "size true": _document(_include(size=True)),
    "endless size": _document(_include(size="9" * 10_000)),
    "short checksum": _document(_include(md5="0123")),
    "no hex": _document(_include(md5="g" * 32)),
    "newline behind": _document(_include(md5=MD5 + "\n")),
    "no checksum": _document(_without("Checksum")),
    "no URI": _document(_without("URI")),
    "another subject": _document(_include("999002/T1w/x")),
    "another subject's file": _document(_include("999001/T1w/999002_3T.csv")),
    "subject alone": _document(_include("999001")),
    "folder": _document(_include("999001/T1w/")),
    "absolute": _document(_include("/999001/T1w/x")),
    "climbing": _document(_include("999001/../999002/T1w/x")),
    "encoded climbing": _document(_include("999001/%2e%2e/999002/T1w/x")),
    "backslash": _document(_include("999001/..\\x")),
    "NUL": _document(_include("999001/x\x00")),
    "drive": _document(_include("999001/C:/x")),
    "no subject label": _document(subject="../etc"),
    "subject missing": b'{"DownloadManifest": {"Includes": []}}',
    "includes missing": b'{"DownloadManifest": {"Subject": "999001"}}',
    "includes are text": b'{"DownloadManifest": {"Subject": "999001", "Includes": "abc"}}',
    "includes are numbers": b'{"DownloadManifest": {"Subject": "999001", "Includes": [1]}}',
    "another document": b'{"ResultSet": {}}',
    "list": b"[]",
    "empty": b"",
    "page": b"<html>Please log in</html>",
    "cut off": _document(_include())[:-10],
    "no text": b"\xff\xfe\x00",
    "nested without end": b"[" * 200_000,
    "one path, two checksums": _document(_include(), _include(md5=OTHER)),
    "one path, two sizes": _document(_include(), _include(size="37")),
}

_words = st.text("abZ09_.+-", min_size=1, max_size=8).filter(lambda word: word.strip("."))
_paths = st.lists(_words.map("x{}".format), min_size=1, max_size=4).map("/".join)
_entries = st.builds(Entry, _paths, st.integers(0, 1 << 50), st.text("0123456789abcdef", min_size=32, max_size=32))


@pytest.mark.parametrize(("include", "entry"), READ.values(), ids=READ)
def test_an_entry_is_read(include: dict[str, Any], entry: Entry) -> None:
    assert parse_manifest(_document(include)) == Manifest("999001", (entry,))


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_what_is_no_manifest_is_refused_by_name(document: bytes) -> None:
    with pytest.raises(ManifestError, match=r"Read 999001_3T_x\.json"):
        parse_manifest(document, name="999001_3T_x.json")


def test_a_manifest_may_be_empty() -> None:
    assert parse_manifest(_document()) == Manifest("999001", ())


def test_an_entry_listed_twice_counts_once() -> None:
    assert parse_manifest(_document(_include(), _include(size=36))).entries == (Entry("T1w/x.nii.gz", 36, MD5),)


def test_a_manifest_is_one_line_with_sizes_as_text() -> None:
    document = format_manifest(Manifest("999001", (Entry("T1w/x.nii.gz", 36, MD5),)))
    assert b"\n" not in document
    assert json.loads(document) == json.loads(_document(_include()))


def test_a_manifest_lies_under_the_name_of_its_package() -> None:
    assert manifest_path("999001", "3T_tfMRI_MOTOR_preproc") == ".xdlm/999001_3T_tfMRI_MOTOR_preproc.json"


def test_packages_may_share_a_file_but_not_disagree_on_it() -> None:
    one, two = Entry("T1w/x", 1, MD5), Entry("T1w/x", 1, OTHER)
    assert join_entries([one, one]) == {"T1w/x": one}
    with pytest.raises(ManifestError, match="twice"):
        join_entries([one, two])


@given(st.lists(_entries, max_size=5, unique_by=lambda entry: entry.path))
def test_a_manifest_comes_back(entries: list[Entry]) -> None:
    manifest = Manifest("999001", tuple(entries))
    assert parse_manifest(format_manifest(manifest)) == manifest


@given(
    st.binary(max_size=40)
    | st.recursive(st.none() | st.text(max_size=3), st.lists).map(lambda o: json.dumps(o).encode())
)
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(document)
