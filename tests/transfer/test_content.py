"""Bodies that cannot be the file are refused and named; a right file never is."""

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from math import ceil
from pathlib import Path
from time import process_time

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectomedb.demo.release import generate
from connectomedb.errors import TransferError, WrongContent
from connectomedb.stores.base import StoredObject
from connectomedb.stores.memory import MemoryStore
from connectomedb.transfer.checksum import Expected, Proof
from connectomedb.transfer.content import check_content, find_fault
from connectomedb.transfer.fetch import Engine, fetch

PAGE = b'<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form><input type="password"></form></body>'
XNAT_STATUS = b"<html>\n<head>\n   <title>Status page</title>\n</head>\n<body>Not Found</body>\n</html>"
S3_ERROR = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>no</Message></Error>'
ANNEX_LINK = b"../../.git/annex/objects/Xk/2V/MD5E-s4096--0123456789abcdef0123456789abcdef.nii.gz/MD5E-s4096--01.nii.gz"
DISGUISES = {
    "sign-in page": PAGE,
    "web page": XNAT_STATUS,
    "(AccessDenied)": S3_ERROR,
    "git-annex pointer": b"/annex/objects/MD5E-s4096--0123456789abcdef0123456789abcdef.nii.gz\n",
    "git-annex pointer, not": ANNEX_LINK,
    "git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "listing": b'{"ResultSet":{"Result":[]}}',
}
TELLING = (".nii", ".nii.gz", ".gii", ".json")
"""Endings of the demo's files whose format tells where it ends."""


def volume(shape: tuple[int, ...] = (3, 4, 5), dtype: str = "<i2", version: int = 1) -> bytes:
    """An uncompressed NIfTI file."""
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    kind = nib.Nifti1Image if version == 1 else nib.Nifti2Image
    header = (nib.Nifti1Header if version == 1 else nib.Nifti2Header)(
        endianness=values.dtype.byteorder.replace("=", "<")
    )
    header.set_data_dtype(dtype)
    content: bytes = kind(values, np.eye(4), header).to_bytes()
    return content


def mgh(footer: bytes = b"") -> bytes:
    """An MGH file of 2 x 3 x 4 floats."""
    return struct.pack(">7i", 1, 2, 3, 4, 1, 3, 0).ljust(284, b"\0") + bytes(2 * 3 * 4 * 4) + footer


def bgzf(content: bytes) -> bytes:
    """Gzip in short members, as bgzip writes it, with an empty one at the end."""
    pieces = [*(content[start : start + 100] for start in range(0, len(content), 100)), b""]
    return b"".join(gzip.compress(piece, mtime=0) for piece in pieces)


def with_long_name(content: bytes) -> bytes:
    """Gzip whose header holds a file name of 6 kB."""
    body = gzip.compress(content, mtime=0)
    return body[:3] + b"\x08" + body[4:10] + b"n" * 6000 + b"\0" + body[10:]


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 5000 + b"\0\0\0\0IEND\xaeB`\x82"
GIFTI = b'<?xml version="1.0"?>\n<!DOCTYPE GIFTI SYSTEM "g.dtd">\n<GIFTI>' + b" " * 6000 + b"</GIFTI>"
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)

RIGHT = {
    "big-endian.nii": volume(dtype=">f4"),
    "nifti2.nii": volume(version=2),
    "big-endian-nifti2.nii.gz": gzip.compress(volume(dtype=">f8", version=2)),
    "seven-axes.nii": volume((2, 1, 1, 1, 3, 2, 2), "<f4"),
    "longer-than-its-voxels.nii": volume() + b"\0" * 100,
    "analyze.nii": volume()[:344] + b"\0\0\0\0" + b"\0" * 8,
    "pair.nii": volume()[:344] + b"ni1\0",
    "several-members.nii.gz": bgzf(volume((20, 20, 20))),
    "padded.nii.gz": gzip.compress(volume()) + b"\0" * 512,
    "long-name-in-header.nii.gz": with_long_name(volume()),
    "orig.mgz": gzip.compress(mgh()),
    "with-footer.mgz": gzip.compress(mgh(b"tags" * 50)),
    "logs.tar.gz": gzip.compress(b"anything"),
    "a.shape.gii": GIFTI,
    "newline-after.gii": GIFTI + b"\r\n\r\n",
    "comment-after.gii": GIFTI + b"\n<!-- made by hand -->\n",
    "100307.32k_fs_LR.wb.spec": b'<?xml version="1.0"?>\n<CaretSpecFile Version="1.0">\n</CaretSpecFile>\n',
    "old-caret.spec": b"BeginHeader\nEndHeader\n",
    "100307_ICA_Classification_dualscreen.scene": b'<?xml version="1.0"?>\n<SceneFile>\n</SceneFile>\n',
    "report.html": b"<HTML><HEAD><TITLE>MELODIC report</TITLE></HEAD><BODY>components</BODY></HTML>",
    "catalog.xml": b'<?xml version="1.0"?><cat:Catalog xmlns:cat="c"></cat:Catalog>',
    "design.fsf": b"# FEAT version number\nset fmri(version) 6.00\n",
    "ReleaseNotes.txt": b"100307_3T_Structural_preproc.zip\n\n2013-03-01\n\nhttp://a.org/annex/objects/ <html>\n",
    "empty.txt": b"",
    "touch-file": b"",
    "lf.txt": b"11.0\t12.0\t1\n",
    "table.csv": b"<5,>7\n1,2\n",
    "bvals": b"5 1000 2000\n",
    "design.png": PNG,
    "package.zip": EMPTY_ZIP,
    "100307_3T_x.json": b'{"DownloadManifest": {}}\n',
    "list.json": b"[1, 2]",
    "number.json": b"3",
    "long.json": b'{"a": "' + b"x" * (1 << 20) + b'"}',
}

WRONG = {
    "empty.nii.gz": (b"", "empty"),
    "empty.gii": (b"", "empty"),
    "empty.json": (b"", "empty"),
    "text.nii": (b"not found\n" * 100, "no NIfTI"),
    "text.nii.gz": (b"not found\n", "no gzip"),
    "text-in-gzip.nii.gz": (gzip.compress(b"not found\n"), "no NIfTI"),
    "long-text-in-gzip.nii.gz": (gzip.compress(b"not found\n" * 999), "no NIfTI"),
    "cut-before-it-was-packed.nii.gz": (gzip.compress(volume()[:-1]), "breaks off"),
    "without-trailer.nii.gz": (gzip.compress(volume())[:-8], "breaks off"),
    "second-member-cut.nii.gz": (bgzf(volume((20, 20, 20)))[:-25], "breaks off"),
    "end-never-written.nii.gz": (gzip.compress(volume())[:-20] + b"\0" * 20, "gzip stream"),
    "damaged-header.nii.gz": (b"\x1f\x8b\x08\x00" + b"\xff" * 100, "damaged"),
    "cut.mgz": (gzip.compress(mgh())[:-4], "breaks off"),
    "short.mgz": (gzip.compress(mgh()[:-1]), "breaks off"),
    "text.mgz": (gzip.compress(b"x" * 300), "no MGH"),
    "cut.tar.gz": (gzip.compress(b"anything")[:-1], "breaks off"),
    "text.gii": (b"not found", "no GIFTI"),
    "cut.png": (PNG[:-1], "PNG"),
    "text.png": (b"not found", "no PNG"),
    "cut.zip": (EMPTY_ZIP[:-1], "zip"),
    "cut.wb.spec": (b'<?xml version="1.0"?>\n<CaretSpecFile Version="1.0">\n</CaretSp', "breaks off"),
    "cut.json": (b'{"DownloadManifest": {"Subject": "100307"}', "JSON"),
    "nested.json": (b"[" * 100_000, "JSON"),
    "long-and-cut.json": (b'{"a": "' + b"x" * (1 << 20), "breaks off"),
    "sign-in.html": (PAGE, "sign-in page"),
    "error.html": (S3_ERROR, "AccessDenied"),
    "error.xml": (S3_ERROR, "AccessDenied"),
    "page.xml": (XNAT_STATUS, "web page"),
    "after-prologue.txt": (b"\xef\xbb\xbf<?xml version='1.0'?><!-- <a> --> <!-- b -->\n<html>", "web page"),
    "submodule.txt": (b"../.git/modules/a/annex/objects/SHA256-s1--9f", "annex"),
    "unlocked.txt": (b"/annex/objects/URL--http&c%%x.org%a\n", "annex"),
    "catalogue.nii": (b'<?xml version="1.0"?><cat:Catalog xmlns:cat="c"></cat:Catalog>', "listing"),
    "bucket.txt": (b"<ListBucketResult xmlns='s3'></ListBucketResult>", "listing"),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two demo subjects."""
    made = generate(tmp_path_factory.mktemp("release"), subjects=("100307", "103515"), workers=1)
    return made.folder / made.prefix


@cache
def files_of(release: Path) -> list[Path]:
    return sorted(path for path in release.rglob("*") if path.is_file())


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / ".part"


def fault_of(part: Path, content: bytes, name: str) -> str | None:
    part.write_bytes(content)
    return find_fault(part, name)


@pytest.mark.parametrize(("name", "content"), RIGHT.items(), ids=RIGHT)
def test_a_right_file_is_never_refused(part: Path, name: str, content: bytes) -> None:
    assert fault_of(part, content, name) is None


@pytest.mark.parametrize(("name", "case"), WRONG.items(), ids=WRONG)
def test_what_cannot_be_the_file_is_named(part: Path, name: str, case: tuple[bytes, str]) -> None:
    content, word = case
    assert word in (fault_of(part, content, name) or "nothing")


def test_all_files_of_the_demo_pass(release: Path) -> None:
    assert {path.name: fault for path in files_of(release) if (fault := find_fault(path, path.name)) is not None} == {}


@pytest.mark.parametrize(("words", "body"), DISGUISES.items(), ids=DISGUISES)
def test_no_file_of_the_demo_can_be_replaced_by_a_disguise(release: Path, part: Path, words: str, body: bytes) -> None:
    names = {path.name for path in files_of(release)}
    part.write_bytes(body)
    assert all(words in (find_fault(part, name) or "nothing") for name in names)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(number=st.integers(0, 10_000), cut=st.integers(1, 40) | st.floats(0, 1, exclude_min=True))
def test_every_truncation_of_a_file_that_tells_its_end_is_refused(
    release: Path, part: Path, number: int, cut: int | float
) -> None:
    telling = [path for path in files_of(release) if path.name.endswith(TELLING)]
    path = telling[number % len(telling)]
    content = path.read_bytes()
    if path.suffix in (".gii", ".json"):
        content = content.rstrip()
    keep = max(0, len(content) - (cut if isinstance(cut, int) else ceil(cut * len(content))))
    assert fault_of(part, content[:keep], path.name) is not None
    # The same hole in a file that was laid out in full size beforehand.
    if any(content[keep:]) and not path.name.endswith(".nii"):
        assert fault_of(part, content[:keep].ljust(len(content), b"\0"), path.name) is not None


@given(content=st.binary(max_size=3000), name=st.sampled_from([*RIGHT, *WRONG]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_bytes_get_an_answer_and_no_other_error(part: Path, content: bytes, name: str) -> None:
    for body in (content, gzip.compress(content), volume()[:300] + content, gzip.compress(volume()[:300] + content)):
        fault = fault_of(part, body, name)
        assert fault is None or fault.startswith("it")


def test_only_the_ends_of_a_long_file_are_read(tmp_path: Path) -> None:
    header = bytearray(volume((1, 1, 1)))
    struct.pack_into("<4h", header, 40, 3, 2000, 2000, 200)
    sparse = tmp_path / "x.nii"
    sparse.write_bytes(header)
    os.truncate(sparse, 352 + 2000 * 2000 * 200 * 2)
    before = process_time()
    assert find_fault(sparse, "x.nii") is None
    os.truncate(sparse, 352 + 2000 * 2000 * 200 * 2 - 1)
    assert "breaks off" in (find_fault(sparse, "x.nii") or "")
    assert process_time() - before < 0.1


def test_a_stream_that_unpacks_without_end_is_not_followed_to_it(part: Path) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    content = bomb.compress(volume()) + b"".join(bomb.compress(bytes(1 << 20)) for _ in range(600)) + bomb.flush()
    before = process_time()
    assert "damaged" in (fault_of(part, content, "bomb.nii.gz") or "nothing")
    assert process_time() - before < 0.1


def test_trailing_bytes_do_not_make_an_image_wrong(part: Path) -> None:
    assert fault_of(part, gzip.compress(volume() + bytes(500_000)), "a.nii.gz") is None
    assert fault_of(part, gzip.compress(volume() + bytes(500_000))[:-1], "a.nii.gz") is not None


def test_the_error_names_the_file_and_what_came(part: Path, tmp_path: Path) -> None:
    part.write_bytes(PAGE)
    with pytest.raises(
        WrongContent, match=r"Fetched T1w\.nii\.gz: it is a sign-in page\. Nothing was kept\."
    ) as caught:
        check_content(part, tmp_path / "T1w.nii.gz")
    assert caught.value.path == str(tmp_path / "T1w.nii.gz")
    check_content(Path(__file__), "test_content.py")


@pytest.mark.parametrize("size", [1000, 20 << 20], ids=["small", "in ranges"])
def test_where_no_checksum_is_known_a_page_lets_the_next_source_have_its_turn(tmp_path: Path, size: int) -> None:
    right = b"x" * size
    first, second = (MemoryStore({"a.txt": body}) for body in (PAGE.ljust(size), right))
    sources, expected = [StoredObject(store, "a.txt") for store in (first, second)], Expected(size, None, Proof.SIZE)
    with Engine() as engine:
        with pytest.raises(WrongContent, match="sign-in page"):
            fetch(sources[:1], tmp_path / "a.txt", expected, engine=engine)
        assert not list(tmp_path.iterdir())
        fetch(sources, tmp_path / "a.txt", expected, engine=engine)
    assert (tmp_path / "a.txt").read_bytes() == right


def test_a_part_that_cannot_be_read_is_a_transfer_error(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="T1w"):
        check_content(tmp_path / "nowhere", tmp_path / "T1w.nii.gz")
