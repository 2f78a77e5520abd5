"""A source dies in the middle of a file: the next one, of whatever kind, goes on at that byte."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.faults.faults import PASS, Answer, Cut, Fault, Request
from tests.faults.proxy import Proxy

from connectomedb.client.interface import Interface
from connectomedb.config.s3 import S3Settings
from connectomedb.demo.stage import Stage
from connectomedb.mirror.mirror import Mirror, OneStore, StoreOf
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.s3 import S3Store
from connectomedb.transfer.checksum import Proof

SUBJECT = "100307"
FILE = "T1w/T1w_acpc_dc_restore_brain.nii.gz"
CAME = 20_000
"""Bytes that the first source gives."""


@dataclass
class Dying:
    """The rule of a source that breaks off in the file, and refuses from then on."""

    asked: int = 0
    ranges: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Fault:
        if request.method != "GET" or not request.target.partition("?")[0].endswith(FILE):
            return PASS
        self.asked += 1
        self.ranges.append(request.headers.get("range", ""))
        return Cut(CAME, of_this=True) if self.asked == 1 else Answer(503, b"gone")


@dataclass
class Watching:
    """A rule that changes nothing; it hears which bytes of the file are asked for."""

    ranges: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Fault:
        if request.method == "GET" and request.target.partition("?")[0].endswith(FILE):
            self.ranges.append(request.headers.get("range", ""))
        return PASS


@pytest.fixture(scope="module")
def whole(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mirror that has the file, as its bytes and as a source."""
    root = tmp_path_factory.mktemp("whole")
    mirror = Mirror(root, [OneStore(_bucket(stage, stage.s3_endpoint))])
    [path] = mirror.files(SUBJECT, FILE, project="HCP_Q1")
    assert path.stat().st_size > 2 * CAME
    yield root


def _bucket(stage: Stage, endpoint_url: str) -> S3Store:
    access = S3Settings(stage.access_key, stage.secret_key, None, None, stage.s3_endpoint)
    return S3Store(stage.bucket, replace(access, endpoint_url=endpoint_url))


def _source(kind: str, stage: Stage, whole: Path, rule: Dying | Watching, stack: ExitStack) -> StoreOf:
    if kind == "folder":
        return OneStore(FolderStore(whole))
    upstream = stage.s3_endpoint if kind == "s3" else stage.server
    proxy = stack.enter_context(Proxy.start(upstream))
    proxy.rule = rule
    if kind == "s3":
        return OneStore(_bucket(stage, proxy.endpoint_url))
    db = stack.enter_context(Interface(proxy.endpoint_url, stage.user, stage.password))
    return db.store_of


@pytest.mark.parametrize(
    ("first", "second"), [("s3", "xnat"), ("xnat", "s3"), ("s3", "folder"), ("xnat", "folder"), ("s3", "s3")]
)
def test_the_next_source_goes_on_at_the_byte(
    first: str, second: str, stage: Stage, whole: Path, tmp_path: Path
) -> None:
    dying, watching = Dying(), Watching()
    with ExitStack() as stack:
        sources = [_source(first, stage, whole, dying, stack), _source(second, stage, whole, watching, stack)]
        mirror = Mirror(tmp_path / "m", sources)
        [file] = mirror.fetch(SUBJECT, FILE, project="HCP_Q1").files
        names = tuple(store.name for store in mirror.shelf("HCP_Q1").stores)
    assert (file.error, file.proof, file.sources) == (None, Proof.MANIFEST, names)
    assert file.local.read_bytes() == (whole / f"q1/{SUBJECT}/{FILE}").read_bytes()
    assert dying.asked == 1
    if second != "folder":
        assert [text.split("-")[0] for text in watching.ranges] == [f"bytes={CAME}"]


def test_a_folder_whose_copy_is_cut_short_is_made_good_by_the_next(stage: Stage, whole: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    shutil.copytree(whole / "q1", part / "q1")
    copy = part / f"q1/{SUBJECT}/{FILE}"
    copy.write_bytes(copy.read_bytes()[:CAME])
    with ExitStack() as stack:
        bucket = OneStore(_bucket(stage, stage.s3_endpoint))
        mirror = Mirror(tmp_path / "m", [OneStore(FolderStore(part)), bucket])
        [file] = mirror.fetch(SUBJECT, FILE, project="HCP_Q1").files
        stack.callback(bucket.store.close)
    assert (file.error, file.proof) == (None, Proof.MANIFEST)
    assert file.local.read_bytes() == (whole / f"q1/{SUBJECT}/{FILE}").read_bytes()
