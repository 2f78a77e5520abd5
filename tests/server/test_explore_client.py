"""`db.where` gives the same from a server that evaluates predicates itself and from any other XNAT."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from connectomedb.cli.main import main
from connectomedb.client.interface import Interface
from connectomedb.errors import NotFound, PredicateError, QueryError
from connectomedb.mirror.mirror import Mirror
from connectomedb.stores.folder import FolderStore

if TYPE_CHECKING:
    from tests.server.conftest import Served

PASSWORD = "correct horse"
OURS = ("/explore", "/data/dictionary")


class Front(ThreadingHTTPServer):
    """Stands before a server and has none of what is ours: what is left is an XNAT. `seen` tells what was asked."""

    def __init__(self, address: str, hidden: tuple[str, ...]) -> None:
        self.seen: list[str] = []
        front = self
        self.behind = httpx2.Client(timeout=30)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def _answer(self) -> None:
                front.seen.append(f"{self.command} {self.path.partition('?')[0]}")
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                if any(word in self.path.partition("?")[0] for word in hidden):
                    self._send(404, b"Not Found", {})
                    return
                sent = {
                    name: text for name, text in self.headers.items() if name.lower() in ("authorization", "cookie")
                }
                reply = httpx2.request(self.command, f"{address}{self.path}", content=body, headers=sent)
                told = ("content-type", "set-cookie")
                self._send(reply.status_code, reply.content, {k: v for k, v in reply.headers.items() if k in told})

            def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, text in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = _answer

        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def front(served: Served, hidden: tuple[str, ...]) -> Iterator[Front]:
    server = Front(served.address, hidden)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        server.behind.close()
        thread.join()


@pytest.fixture(scope="module")
def served(_servers: Callable[[str], Served]) -> Served:
    """One database will do: the client does not see which it is."""
    return _servers("sqlite")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


PREDICATES = [
    "",
    "not MMSE_Score >= 29 or Gender != 'F' or empty",
    "not QC_Issue has A and PicSeq_Unadj is not empty",
    "exists 'T1w/Diffusion/bvals' and not exists '/EVs/*' and MMSE_Score > 0",
    "Age_in_Yrs < 30 and Handedness is empty",
]


@pytest.mark.parametrize("project", ["HCP_Q1", ""])
def test_both_ways_give_the_same(served: Served, project: str) -> None:
    with (
        front(served, ("/explore",)) as xnat,
        Interface(xnat.address, "granted", PASSWORD) as other,
        Interface(served.address, "granted", PASSWORD) as ours,
    ):
        for predicate in PREDICATES:
            here, there = (db.where(predicate, project=project) for db in (ours, other))
            assert here.places() == there.places(), predicate
            assert here.explain() == there.explain(), predicate
        assert here.table("Age").rows == there.table("Age").rows
        tried = [seen for seen in xnat.seen if "/explore" in seen]
        assert len(tried) == (2 if project else 1)  # once found to be missing, it is not asked for again


def test_our_server_is_asked_for_labels_and_not_for_tables(served: Served) -> None:
    with front(served, ()) as seen, Interface(seen.address, "reader", PASSWORD) as db:
        cohort = db.where("not Age like '3*'", project="HCP_Q1")
        assert cohort.subjects() == ["100307", "118932", "200614"]
        assert cohort.explain().funnel.passed == 3
        assert not any("/data/search" in one for one in seen.seen)


def test_a_plain_xnat_without_a_dictionary_will_do(served: Served) -> None:
    with front(served, OURS) as xnat, Interface(xnat.address, "reader", PASSWORD) as db:
        assert db.where("MMSE_Score >= 29", project="HCP_Q1").subjects() == ["100307", "103515"]


def test_a_long_question_is_sent_as_a_form(served: Served) -> None:
    many = ", ".join(f"'{number:06}'" for number in range(800))
    with front(served, ()) as seen, Interface(seen.address, "reader", PASSWORD) as db:
        assert db.where(f"Subject in ({many}, 100307)", project="HCP_Q1").subjects() == ["100307"]
        assert "POST /data/projects/HCP_Q1/explore/subjects" in seen.seen


def test_files_of_a_mirror_of_ones_own_count_too(served: Served, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "q1/118932/T1w").mkdir(parents=True)
    (tree / "q1/118932/T1w/extra.txt").write_text("here")
    where = "exists 'T1w/extra.txt'"
    mirror = Mirror(tmp_path / "mirror", [lambda release: FolderStore(tree, "tree")])
    with Interface(served.address, "reader", PASSWORD, data_mirror=mirror) as db:
        assert db.where(where, project="HCP_Q1").subjects() == ["118932"]
    with Interface(served.address, "reader", PASSWORD) as db:
        assert db.where(where, project="HCP_Q1").subjects() == []


def test_faults_are_told_as_ever(served: Served) -> None:
    with Interface(served.address, "reader", PASSWORD) as db:
        with pytest.raises(PredicateError):
            db.where("Age_in_Yrs > 1", project="HCP_Q1").subjects()
        with pytest.raises(QueryError):
            db.where("xnat:mrSessionData/NONE = 1", project="HCP_Q1").subjects()
        with pytest.raises(NotFound):
            db.where("Age = '22-25'", project="NONE").subjects()
    with Interface(served.address, "stranger", PASSWORD) as db, pytest.raises(NotFound):
        db.where("Gender = F", project="HCP_Q1").explain()


@pytest.mark.parametrize("hidden", [(), OURS], ids=["ours", "any XNAT"])
def test_a_labs_own_measures_choose_subjects_and_groups(served: Served, hidden: tuple[str, ...]) -> None:
    with front(served, hidden) as before, Interface(before.address, "admin", PASSWORD) as db:
        chosen = db.where("Recall > 5", project="LAB", data_type="lab:memorydata")
        assert chosen.subjects() == ["L1"]
        table = chosen.table("Note")
        assert [table["note"], table["subject_label"]] == [["good"], ["L1"]]
        assert chosen.explain().funnel.total == 1
        assert chosen.without("any").data_type == "lab:memorydata"


def test_a_group_of_a_labs_measures_is_kept_from_python(served: Served) -> None:
    with Interface(served.address, "admin", PASSWORD) as db:
        db.groups.save("recalling", db.where("Recall > 5", project="LAB", data_type="lab:memorydata"))
        try:
            kept = db.groups.get("recalling")
            assert (kept.data_type, kept.project, kept.subjects()) == ("lab:memorydata", "LAB", ["L1"])
        finally:
            db.groups.remove("recalling")


def test_a_group_of_a_labs_measures_is_kept_over_rest_and_by_command(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served.client("admin") as admin:
        asked = {"where": "Recall > 5", "type": "lab:memorydata"}
        admin.put("/data/projects/LAB/explore/groups/remembering", params=asked).raise_for_status()
        try:
            (kept,) = admin.get("/data/projects/LAB/explore/groups").json()["groups"]
            assert (kept["name"], kept["data_type"]) == ("remembering", "lab:memorydata")
            page = admin.get("/projects/LAB/subjects?group=remembering", follow_redirects=True)
            assert "L1" in page.text and "type=lab%3Amemorydata" in str(page.url)
            monkeypatch.setenv("XNAT_PASS", PASSWORD)
            server = ("--server", served.address, "--user", "admin")
            for words in (("show", "remembering"), ("find", "Recall > 5", "--type", "lab:memorydata")):
                with pytest.raises(SystemExit, match="0"):
                    main(["cohort", *words, *server])
                assert capsys.readouterr().out.split() == ["L1"]
        finally:
            admin.delete("/data/explore/groups/remembering").raise_for_status()
