"""Several subjects, one after the other here, or a task each on a Dask cluster over the same folder."""

import os
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from connectomedb import errors
from connectomedb.client.interface import Interface
from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConnectomeDBError, DiskFull, MirrorIncomplete, NotFound, StoreDenied
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.mirror import Mirror, OneStore, S3Mirror
from connectomedb.mirror.options import Options
from connectomedb.mirror.report import Report, Tally, raise_for_failures
from connectomedb.mirror.spread import AHEAD, ahead, spread
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.memory import MemoryStore
from connectomedb.stores.s3 import S3Store

SUBJECTS = ("100307", "103515", "103818", "105014")
SECRET = "hush-hush-secret"


def keys(subject: str) -> dict[str, bytes]:
    return {f"q1/{subject}/T1w/{name}.txt": f"{subject} {name}".encode() for name in "abc"}


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """A mirror whose source is a folder, so that it works in any process."""
    store = FolderStore(tmp_path / "source", "disk")
    for subject in SUBJECTS:
        for key, content in keys(subject).items():
            store.put(key, content)
    return Mirror(tmp_path / "m", [OneStore(store)])


def content(reports: list[Report]) -> dict[str, list[bytes]]:
    return {report.subject: [path.read_bytes() for path in report.paths] for report in reports}


EXPECTED = {subject: list(keys(subject).values()) for subject in SUBJECTS}


@pytest.fixture(scope="module")
def dask() -> Iterator[Client]:
    """A real cluster: two processes beside this one."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def process_of(item: int) -> int:
    return os.getpid()


process_of.__module__ = "__main__"  # sent as it is: workers cannot import this module


# Here


def test_several_subjects_are_brought_one_after_the_other(mirror: Mirror) -> None:
    reports = list(mirror.fetch_many(SUBJECTS, "T1w", project="HCP_Q1"))
    assert [report.subject for report in reports] == list(SUBJECTS)
    assert content(reports) == EXPECTED


def test_a_list_of_subjects_gives_a_list_of_reports(mirror: Mirror) -> None:
    assert content(mirror.fetch(list(SUBJECTS), Choice(include=("**/*.txt",)), project="HCP_Q1")) == EXPECTED


def test_a_subject_that_lacks_the_files_does_not_keep_the_others_away(mirror: Mirror) -> None:
    reports = mirror.fetch(["999999", *SUBJECTS, "999998"], "T1w", project="HCP_Q1")
    assert [report.subject for report in reports if isinstance(report.error, NotFound)] == ["999999", "999998"]
    with pytest.raises(MirrorIncomplete, match="6 subjects; 2 could not be had") as caught:
        raise_for_failures(reports)
    assert list(caught.value.failures) == ["999999", "999998"]


def test_when_all_subjects_lack_the_files_that_is_the_error(mirror: Mirror) -> None:
    with pytest.raises(NotFound, match="999999"):
        raise_for_failures(mirror.fetch(["999999", "999998"], "T1w", project="HCP_Q1"))


def test_a_store_that_denies_us_ends_the_run(tmp_path: Path) -> None:
    class Denying(MemoryStore):
        def list(self, prefix: str = "") -> Iterator[object]:  # type: ignore[override]  # never comes to yield
            asked.append(prefix)
            raise StoreDenied("denied")

    asked: list[str] = []
    mirror = Mirror(tmp_path, [OneStore(Denying())])  # type: ignore[arg-type]  # see above
    with pytest.raises(StoreDenied):
        mirror.fetch(list(SUBJECTS), "T1w", project="HCP_Q1")
    assert {prefix.split("/")[1] for prefix in asked} == {SUBJECTS[0]}


def test_a_disk_without_room_ends_the_run(mirror: Mirror) -> None:
    reports = mirror.fetch_many(SUBJECTS, "T1w", project="HCP_Q1", options=Options(reserve=10**18))
    with pytest.raises(DiskFull):
        next(reports)


def test_failures_of_several_subjects_bear_their_labels() -> None:
    fault = ConnectomeDBError("no")
    tally = Tally()
    tally.add(Report("100307", (), NotFound("none")))
    tally.add(Report("103515", ()))
    tally.failures["103515", "T1w/a"] = fault
    with pytest.raises(MirrorIncomplete) as caught:
        tally.raise_for_failures()
    assert caught.value.failures == {"100307": tally.failures["100307", ""], "103515/T1w/a": fault}


# Elsewhere


def test_a_cluster_brings_one_subject_per_task_over_the_same_folder(mirror: Mirror, dask: Client) -> None:
    reports = mirror.fetch([*SUBJECTS, "999999"], "T1w", project="HCP_Q1", scheduler=dask)
    assert sorted(report.subject for report in reports) == [*SUBJECTS, "999999"]
    assert isinstance(next(report.error for report in reports if report.subject == "999999"), NotFound)
    assert content([report for report in reports if not report.error]) == EXPECTED
    assert mirror.files(SUBJECTS[0], "T1w", project="HCP_Q1"), "the ledger is the same"


def test_a_cluster_carries_out_plans(mirror: Mirror, dask: Client) -> None:
    plans = mirror.plans(SUBJECTS, "T1w", project="HCP_Q1")
    assert content(list(mirror.fetch_many(plans, scheduler=dask))) == EXPECTED


def test_a_clusters_tasks_run_on_its_workers(dask: Client) -> None:
    processes = set(spread(dask, process_of, range(8)))
    assert processes
    assert os.getpid() not in processes


def test_an_error_comes_home_from_a_cluster_as_it_is(mirror: Mirror, dask: Client) -> None:
    with pytest.raises(DiskFull, match="Nothing was fetched"):
        mirror.fetch(list(SUBJECTS), "T1w", project="HCP_Q1", options=Options(reserve=10**18), scheduler=dask)


def test_a_cluster_reads_a_real_bucket(s3_store: object, tmp_path: Path, dask: Client) -> None:
    assert callable(s3_store)
    store = s3_store("dask")
    for key, data in keys(SUBJECTS[0]).items():
        store.put(key, data)
    mirror = Mirror(tmp_path, [OneStore(store)])
    reports = mirror.fetch([SUBJECTS[0]], "T1w", project="HCP_Q1", scheduler=dask)
    assert content(reports) == {SUBJECTS[0]: EXPECTED[SUBJECTS[0]]}


@pytest.mark.parametrize(
    "executor",
    [lambda: ThreadPoolExecutor(2), lambda: ProcessPoolExecutor(1, get_context("spawn"))],
    ids=["threads", "processes"],
)
def test_an_executor_will_do(mirror: Mirror, executor: object) -> None:
    assert callable(executor)
    opened: Executor = executor()
    with opened:
        assert content(mirror.fetch(list(SUBJECTS), "T1w", project="HCP_Q1", scheduler=opened)) == EXPECTED


def test_what_has_not_begun_is_called_off_after_a_fault() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            raise NotFound("0")
        gate.wait(10)
        return item

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(NotFound):
            list(spread(pool, work, range(50)))
        gate.set()
    assert len(begun) < 50


def test_working_ahead_keeps_the_order_and_stays_near() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    results = ahead(work, range(100))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(begun) <= 3 + AHEAD + 1
    assert list(results) == list(range(3, 100))


def test_a_fault_comes_at_its_turn() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise NotFound("2")
        return item

    results = ahead(work, range(10))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(NotFound):
        next(results)


# What travels


def kinds(root: type[ConnectomeDBError]) -> Iterator[type[ConnectomeDBError]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds(ConnectomeDBError)))
def test_every_error_survives_the_way(kind: type[ConnectomeDBError]) -> None:
    fault = (
        MirrorIncomplete("some", {"a": errors.StoreDenied("no", store="s", key="k")})
        if kind is MirrorIncomplete
        else kind("what happened")
    )
    back = pickle.loads(pickle.dumps(fault))
    assert (type(back), str(back)) == (kind, str(fault))
    assert repr(vars(back)) == repr(vars(fault))


def test_a_mirror_travels_with_its_keys_and_shows_none(tmp_path: Path) -> None:
    mirror = S3Mirror.open("b", "an-access-key", SECRET, tmp_path, endpoint_url="http://127.0.0.1:9", prefix="p")
    back = pickle.loads(pickle.dumps(mirror))
    assert (type(back), back.root, back.prefix) == (S3Mirror, tmp_path, "p")
    [store] = back.shelf("HCP_Q1").stores
    assert store.settings == S3Settings("an-access-key", SECRET, endpoint_url="http://127.0.0.1:9")
    for value in (mirror, back, mirror.shelf("HCP_Q1"), mirror._sources, back._sources):
        assert SECRET not in repr(value)


def test_a_store_that_was_used_travels_without_its_connections(s3_store: object) -> None:
    assert callable(s3_store)
    store: S3Store = s3_store("pickle")
    store.put("a", b"x")
    back: S3Store = pickle.loads(pickle.dumps(store))
    assert [info.key for info in back.list("")] == ["a"]


def test_a_server_travels_as_a_source(tmp_path: Path) -> None:
    with Interface("http://127.0.0.1:9", "me", SECRET) as db:
        mirror = Mirror(tmp_path, [db.store_of])
        back = pickle.loads(pickle.dumps(mirror))
        assert back.shelf("HCP_Q1").names == ("http://127.0.0.1:9",)
        assert SECRET not in repr(back._sources) + repr(mirror._sources)
