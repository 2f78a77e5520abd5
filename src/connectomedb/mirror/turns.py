"""Lets many processes that want the same files bring them once: one works, the others wait for it.

    <root>/.connectomedb/<prefix>/<subject>.turns/
        0.<run>.<thread>.choosing        about to draw a number
        <number>.<run>.<thread>.waiting  wants a turn, or has it; touched every few seconds, as a sign of life

Each file holds the path that is wanted, inside the subject. As in a bakery, one draws a number above all that are out,
and yields to smaller ones that overlap; while others draw, one waits. Nothing here relies on locks, which some shared
disks only pretend to give: files are made by rename, and a run that has ended, or showed no life for a while, is passed
over. If two should work at once after all, both bring the same bytes under private names, and the checksum decides: it
costs time, never truth. Source: Lamport's bakery algorithm.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import Interrupted
from connectomedb.mirror.ledger import is_within
from connectomedb.transfer.disk import disk_faults
from connectomedb.transfer.run import STALE_S, SUSPENDED_S, Run, now

BEAT_S = 5.0
"""How often a working run shows that it lives."""

SHORTEST_LOOK_S = 0.05
LONGEST_LOOK_S = 1.0
_STATES = ("choosing", "waiting")


@dataclass(frozen=True, slots=True)
class _Claim:
    """One wish for a turn, as its file tells it."""

    number: int
    owner: str
    state: str
    path: str

    def is_before(self, other: "_Claim") -> bool:
        """Whether `other` yields to this one."""
        overlaps = is_within(self.path, other.path) or is_within(other.path, self.path)
        return overlaps and (self.number, self.owner) < (other.number, other.owner)

    @property
    def run(self) -> Run | None:
        """The run that wishes."""
        return Run.parse(self.owner.rpartition(".")[0])


class Turn:
    """What a run got that waited for its turn; false when others have brought everything meanwhile.

    A run that is suspended, with its machine or alone, shows no sign of life, and another takes its place; so before
    anything lands, the turn is to be checked.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._beat_at = now()
        self._is_lost = False

    def __bool__(self) -> bool:
        return self._file is not None

    def beat(self) -> None:
        """Show that we live."""
        if self._file is not None:
            try:
                os.utime(self._file)
                self._beat_at = now()
            except FileNotFoundError:
                self._is_lost = True
            except OSError:
                pass  # the disk cannot be reached at present; that says nothing about whose turn it is

    def check(self) -> None:
        """Raises Interrupted when another run took over meanwhile."""
        if now() - self._beat_at > SUSPENDED_S:
            self.beat()
        if self._is_lost:
            raise Interrupted(
                "This run stood still for so long that another took its place, or the mirror's folder was removed. "
                "Run again to go on."
            )


class Turns:
    """The turns at one subject's files in one mirror folder."""

    def __init__(self, folder: Path, run: Run | None = None) -> None:
        self._folder = folder
        self._run = run or Run.here()

    @contextmanager
    def hold(self, path: str, *, is_done: Callable[[], bool]) -> Iterator[Turn]:
        """Wait for the turn at `path`, and keep it for the length of the context.

        Args:
            is_done: whether all that is wanted is there by now; asked each time that a turn before ours ended.
        Yields: the turn; a false one when others have brought everything meanwhile.
        Raises: DiskRefused, DiskFull when the folder cannot be written.
        """
        with disk_faults(self._folder):
            claim = self._ask(path)
        try:
            with disk_faults(self._folder):
                while (is_ours := self._wait(claim, is_done)) is None:
                    self._clear(claim)
                    claim = self._ask(path)
            turn = Turn(self._file(claim, "waiting") if is_ours else None)
            with _beating(turn):
                yield turn
        finally:
            self._clear(claim)
            with suppress(OSError):  # others still wait in it
                self._folder.rmdir()

    def _ask(self, path: str) -> _Claim:
        """Draw a number above all that are out."""
        owner = f"{self._run}.{threading.get_ident():x}"
        draft = self._folder / f"0.{owner}.choosing"
        while True:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_text(path, encoding="utf-8")
                break
            except FileNotFoundError:  # the last one out removed the folder
                continue
        number = 1 + max((other.number for other in self._read()), default=0)
        claim = _Claim(number, owner, "waiting", path)
        # Two files for a moment rather than a rename: a reader of the folder may miss a name that changes.
        self._file(claim, "waiting").write_text(path, encoding="utf-8")
        draft.unlink(missing_ok=True)
        return claim

    def _wait(self, claim: _Claim, is_done: Callable[[], bool]) -> bool | None:
        """True when it is our turn, False when there is nothing left to do; None when our claim was cleared away.

        That happens to those who were suspended while they waited.
        """
        try:
            return self._wait_in_line(claim, is_done)
        except FileNotFoundError:
            return None

    def _wait_in_line(self, claim: _Claim, is_done: Callable[[], bool]) -> bool:
        touched = time.monotonic()
        has_asked = claim.number == 1  # nobody else was out, so nobody can have brought anything meanwhile
        while (first := self._before(claim)) is not None:
            look = SHORTEST_LOOK_S
            while self._is_out(first) and not self._has_ended(first):
                # Drawn, so that many that wait do not all look at once.
                time.sleep(random.uniform(look / 2, look))
                look = min(LONGEST_LOOK_S, look * 1.5)
                if time.monotonic() - touched > BEAT_S:
                    os.utime(self._file(claim, "waiting"))
                    touched = time.monotonic()
            if first.state != "choosing":
                if is_done():
                    return False
                has_asked = True
        return has_asked or not is_done()

    def _before(self, claim: _Claim) -> _Claim | None:
        """A living claim to wait for: one that is drawing its number, else the smallest that comes before ours."""
        others = [other for other in self._read() if other.owner != claim.owner]
        ahead = [other for other in others if other.state == "choosing" or other.is_before(claim)]
        ahead.sort(key=lambda other: (other.number, other.owner))
        return next((other for other in ahead if not self._has_ended(other)), None)

    def _read(self) -> list[_Claim]:
        claims = []
        for name in os.listdir(self._folder):
            number, _, rest = name.partition(".")
            owner, _, state = rest.rpartition(".")
            if number.isdecimal() and state in _STATES:
                with suppress(OSError):  # it went meanwhile
                    path = (self._folder / name).read_text(encoding="utf-8")
                    claims.append(_Claim(int(number), owner, state, path))
        return claims

    def _is_out(self, claim: _Claim) -> bool:
        """Whether a claim is still in the state for which we wait to pass."""
        return self._file(claim, claim.state).exists()

    def _has_ended(self, claim: _Claim) -> bool:
        """Whether a run is over, or works no more as far as one can see; then its claim is cleared away."""
        silent = self._seconds_silent(claim)
        if claim.run is not None and not claim.run.has_ended(silent) and silent < STALE_S:
            return False
        self._clear(claim)
        return True

    def _seconds_silent(self, claim: _Claim) -> float:
        """How long a run left no sign of life, by the clock of the disk."""
        probe = self._folder / f".{self._run}.{threading.get_ident():x}.clock"
        for state in _STATES:
            with suppress(FileNotFoundError):
                touched = self._file(claim, state).stat().st_mtime
                try:
                    probe.touch()
                    return probe.stat().st_mtime - touched
                finally:
                    probe.unlink(missing_ok=True)
        return 0.0

    def _clear(self, claim: _Claim) -> None:
        for state in _STATES:
            self._file(claim, state).unlink(missing_ok=True)

    def _file(self, claim: _Claim, state: str) -> Path:
        number = 0 if state == "choosing" else claim.number
        return self._folder / f"{number}.{claim.owner}.{state}"


@contextmanager
def _beating(turn: Turn) -> Iterator[None]:
    """Show every few seconds that we live, from a thread of its own."""
    if not turn:
        yield
        return
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_S):
            turn.beat()

    thread = threading.Thread(target=beat, name="turn", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
