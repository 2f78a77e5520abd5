"""Writers that know what may be there after a kill, and a reader that looks on.

A writer remembers, of each thing it writes, the states in which it may be: before a request the new one is added, after
its acknowledgement no other is left. So a thing is lost, or half, when it is found in none of its states.
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import threading
import zipfile
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import httpx2
from tests.server.security.estate import CONTEXT

FILES = "/data/projects/P/resources/R/files"
Folder = frozenset[tuple[str, str]]
"""Names and MD5 digests of the files of a folder."""

EMPTY: Folder = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """A subject, with what may be below it: one session, one scan, one file of that."""

    label: str
    fields: tuple[str, str]
    home: str = "P"
    shared_as: str = ""
    session: str = ""
    scan: str = ""
    digest: str = ""


State = Folder | Person | None


def content_of(name: str) -> bytes:
    """Content that says whose it is, of 10 kB to 1.5 MB."""
    return f"{name} ".encode() * random.Random(name).choice([1_000, 20_000, 100_000])


def digest_of(name: str) -> str:
    return hashlib.md5(content_of(name)).hexdigest()


class Client(threading.Thread, ABC):
    """Asks one thing after the other until the server is gone."""

    def __init__(self, address: str, cookies: dict[str, str], word: str) -> None:
        super().__init__(name=word)
        self.word = word
        self.http = httpx2.Client(base_url=address, timeout=30, cookies=cookies, verify=CONTEXT)
        self.faults: list[str] = []

    def run(self) -> None:
        try:
            with self.http:
                for number in count():
                    self.act(number)
        except httpx2.HTTPError:
            pass  # the server was killed
        except Exception as fault:
            self.faults.append(repr(fault))

    @abstractmethod
    def act(self, number: int) -> None:
        """Ask for something, for the `number`-th time."""


class Writer(Client):
    def __init__(self, address: str, cookies: dict[str, str], word: str) -> None:
        super().__init__(address, cookies, word)
        self.may_be: dict[str, set[State]] = {}
        self.may_have_been: defaultdict[str, set[State]] = defaultdict(set)
        self.acknowledged = 0

    def change(self, thing: str, state: State, request: str, absent: State, **sent: Any) -> None:
        self.may_be.setdefault(thing, {absent}).add(state)
        self.may_have_been[thing].add(state)
        method, address = request.split(" ", 1)
        reply = self.http.request(method, address, **sent)
        if reply.is_success:
            self.may_be[thing] = {state}
            self.acknowledged += 1
        else:
            self.faults.append(f"{request}: {reply.status_code} {reply.text}")

    def check(self, found: Mapping[str, State], absent: State) -> None:
        for thing, states in self.may_be.items():
            assert found.get(thing, absent) in states, (thing, found.get(thing, absent), states)


class Uploader(Writer):
    """Files by all ways in: plain, as a form, out of an archive; overwritten one and many at a time, and deleted."""

    def act(self, number: int) -> None:
        same = f"{self.word}/same"
        self.put(same, f"{same} {number}", "PUT", "?overwrite=true&inbody=true")
        folder = f"{self.word}/{number}"
        if number % 3 == 0:
            self.put(folder, folder, "POST", "?inbody=true")
            self.put(folder, f"{folder} again", "PUT", "?overwrite=true")
        elif number % 3 == 1:
            names = [f"{folder}/{part}" for part in "abc"]
            parts = [("file", (name.rsplit("/", 1)[1], content_of(name))) for name in names]
            self.change(folder, _folder(names), f"PUT {FILES}/{folder}/", EMPTY, files=parts)
        else:
            for version in "de":
                names = [f"{folder}/{part} {version}" for part in range(4)]
                state = frozenset((str(part), digest_of(name)) for part, name in enumerate(names))
                self.change(
                    folder, state, f"PUT {FILES}/{folder}/x.zip?extract=true&overwrite=true", EMPTY, content=_zip(names)
                )
        if number % 6 == 3:
            self.change(folder, EMPTY, f"DELETE {FILES}/{folder}/f", EMPTY)

    def put(self, folder: str, content: str, method: str, query: str) -> None:
        state = frozenset({("f", digest_of(content))})
        self.change(folder, state, f"{method} {FILES}/{folder}/f{query}", EMPTY, content=content_of(content))


class Maker(Writer):
    """Subjects with a session, a scan and its file; renamed, shared, moved, and deleted with all their files."""

    def act(self, number: int) -> None:
        name = f"{self.word}_{number}"
        self._name = name
        person = Person(name, (name, name))
        session = f"{{P}}/experiments/{name}_MR"
        person = self.to(person, f"PUT {{P}}?group={name}&yob=1980&handedness=left")
        fields = f"xsiType=xnat:mrSessionData&scanner={name}&note={name}"
        person = self.to(person, f"PUT {session}?{fields}", session=f"{name}_MR")
        person = self.to(person, f"PUT {session}/scans/1?type={name}&note={name}", scan=name)
        address = f"PUT {session}/scans/1/resources/NII/files/a/b.nii?inbody=true"
        person = self.to(person, address, content_of(name), digest=digest_of(name))
        person = self.to(person, f"PUT {{P}}/projects/Q?label={name}_Q", shared_as=f"{name}_Q")
        person = self.to(person, f"PUT {session}?label={name}_MR2", session=f"{name}_MR2")
        person = self.to(person, f"PUT {{P}}?label={name}_new", label=f"{name}_new")
        session += "2"
        if number % 4 == 0:
            self.change(name, None, f"DELETE {self.at(person)}?removeFiles=true", None)
        elif number % 4 == 1:
            self.to(person, "DELETE {P}/projects/Q", shared_as="")
        elif number % 4 == 2:
            self.to(
                person, f"PUT {{P}}/projects/Q?primary=true&label={name}_Q", home="Q", label=f"{name}_Q", shared_as=""
            )
        else:
            self.to(person, f"DELETE {session}?removeFiles=true", session="", scan="", digest="")

    def to(self, person: Person, request: str, content: bytes = b"", **changed: Any) -> Person:
        changed_person = replace(person, **changed)
        self.change(self._name, changed_person, request.replace("{P}", self.at(person)), None, content=content)
        return changed_person

    @staticmethod
    def at(person: Person) -> str:
        return f"/data/projects/P/subjects/{person.label}"


class Reader(Client):
    """Reads what one uploader overwrites: always one version of it, never a part, nor of an archive."""

    def __init__(self, address: str, cookies: dict[str, str], watched: Uploader) -> None:
        super().__init__(address, cookies, f"{watched.word}r")
        self.watched = watched
        self.stop = threading.Event()

    def act(self, number: int) -> None:
        if self.stop.wait(0.03):
            raise httpx2.HTTPError("done")
        word = self.watched.word
        reply = self.http.get(f"{FILES}/{word}/same/f")
        if reply.status_code != 404 and not self.is_whole(reply):
            self.faults.append(f"{reply.status_code}: {reply.content[:80]!r}, {len(reply.content)} bytes")
        for folder, found in folders_of(self.http, f"{word}/").items():
            if found not in self.watched.may_have_been[folder]:
                self.faults.append(f"{folder}: {found}")

    def is_whole(self, reply: httpx2.Response) -> bool:
        states = self.watched.may_have_been[f"{self.watched.word}/same"]
        return frozenset({("f", hashlib.md5(reply.content).hexdigest())}) in states


def _folder(names: Iterable[str]) -> Folder:
    return frozenset((name.rsplit("/", 1)[1], digest_of(name)) for name in names)


def _zip(names: list[str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part, name in enumerate(names):
            archive.writestr(str(part), content_of(name))
    return packed.getvalue()


# What there is


def folders_of(http: httpx2.Client, below: str = "") -> dict[str, Folder]:
    """Folders of two levels → the names and digests in them."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in rows_of(http, f"{FILES}?format=csv"):
        path = row["URI"].split("/files/")[1]
        if path.startswith(below):
            folder, name = path.rsplit("/", 1)
            found.setdefault(folder, set()).add((name, row["digest"]))
    return {folder: frozenset(files) for folder, files in found.items()}


def people_of(http: httpx2.Client, makers: Iterable[Maker]) -> dict[str, Person]:
    """What is known of each subject that these made, by its field `group`."""
    words = {maker.word for maker in makers}
    people: dict[str, Person] = {}
    ids: dict[str, str] = {}
    for project in "PQ":
        asked = "columns=ID,label,project,group,yob,handedness&format=csv"
        for row in rows_of(http, f"/data/projects/{project}/subjects?{asked}"):
            name = row["group"]
            assert (row["yob"], row["handedness"]) == ("1980", "left"), row
            ids[row["ID"]] = name
            if row["project"] == project:
                shared = people[name].shared_as if name in people else ""
                people[name] = Person(row["label"], (name, name), project, shared)
            else:
                people[name] = replace(people.get(name) or Person("", (name, name)), shared_as=row["label"])
    for project in "PQ":
        asked = "xsiType=xnat:mrSessionData&columns=ID,label,scanner,note,subject_ID&format=csv"
        for row in rows_of(http, f"/data/projects/{project}/experiments?{asked}"):
            name = ids[row["subject_ID"]]
            if name.partition("_")[0] not in words:
                continue
            assert (row["scanner"], row["note"]) == (name, name), row
            people[name] = replace(people[name], session=row["label"], **_scan(http, row["ID"], name))
    return people


def _scan(http: httpx2.Client, session: str, name: str) -> dict[str, Any]:
    scans = rows_of(http, f"/data/experiments/{session}/scans?columns=ID,type,note&format=csv")
    files = rows_of(http, f"/data/experiments/{session}/scans/1/files?format=csv") if scans else []
    assert [(row["ID"], row["type"], row["note"]) for row in scans] in ([], [("1", name, name)])
    return {"scan": "".join(row["type"] for row in scans), "digest": "".join(row["digest"] for row in files)}


def rows_of(http: httpx2.Client, address: str) -> list[dict[str, str]]:
    reply = http.get(address)
    assert reply.status_code == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text)))
