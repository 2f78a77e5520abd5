"""The one place that prints: data to stdout, talk and progress to stderr."""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import click

from connectomedb.mirror.actions import Act
from connectomedb.mirror.events import Arrived, Ended, Event, Listed, OnEvent, Planned, ignore
from connectomedb.transfer.sizes import format_size

if TYPE_CHECKING:
    from rich.progress import Progress

    from connectomedb.mirror.verify import OnVerify


def show_json(value: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False))


Show: TypeAlias = Callable[[object], None]


@contextmanager
def json_items(before: str = "[", after: Callable[[], str] = lambda: "]") -> Iterator[Show]:
    """One JSON document on stdout whose items are printed as they come; nothing if an error comes before the first."""
    is_begun = False

    def show(value: object) -> None:
        nonlocal is_begun
        click.echo(f"{',' if is_begun else before}{json.dumps(value, ensure_ascii=False)}")
        is_begun = True

    try:
        yield show
    except BaseException:
        if is_begun:
            click.echo(after())
        raise
    click.echo(after() if is_begun else f"{before}{after()}")


def show_lines(lines: Sequence[str]) -> None:
    """Lines on stdout."""
    for line in lines:
        click.echo(line)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns aligned for a terminal; values separated by tabs for a pipe."""
    if not sys.stdout.isatty():
        show_lines(["\t".join(line) for line in (columns, *rows)])
        return
    widths = [max(len(line[i]) for line in (columns, *rows)) for i in range(len(columns))]
    for line in (columns, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def say(text: str) -> None:
    """One line of talk on stderr."""
    click.echo(text, err=True)


@contextmanager
def ending_well() -> Iterator[None]:
    """Clusters end jobs by SIGTERM, terminals that close by SIGHUP: both count as Ctrl-C, so that work is recorded."""
    old = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # who ignores it, as nohup does, means it
                old[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextmanager
def progress(label: str) -> Iterator[OnEvent]:
    """A bar of bytes and files on stderr when it is a terminal; silence otherwise. Signals end it as Ctrl-C does."""
    with ending_well(), _progress(label) as on_event:
        yield on_event


@contextmanager
def _progress(label: str) -> Iterator[OnEvent]:
    if not sys.stderr.isatty():
        yield ignore
        return
    with _open_bar() as bar:
        yield _Bar(bar, label).hear


@contextmanager
def reading(label: str) -> "Iterator[OnVerify]":
    """As `progress`, for files that are read again; says where an interrupted run is gone on with."""
    with ending_well(), _reading(label) as on_event:
        yield on_event


@contextmanager
def _reading(label: str) -> "Iterator[OnVerify]":
    from connectomedb.mirror.verify import Looked, VerifyEvent

    def tell(event: VerifyEvent) -> None:
        if isinstance(event, Looked) and event.files_before:
            before = f"{event.files_before} files ({format_size(event.size_before)})"
            say(f"Going on where an earlier run stopped: {before} are read already. To begin anew: --restart.")

    if not sys.stderr.isatty():
        yield tell
        return
    with _open_bar() as bar:
        task = bar.add_task(label, total=None, files="")
        due = 0

        def hear(event: VerifyEvent) -> None:
            nonlocal due
            tell(event)
            if isinstance(event, Looked):
                due += event.size
                bar.update(task, total=due, files=event.files)
            else:
                bar.advance(task, event.size)

        yield hear


def _open_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[files]} files"),
    )
    # What is printed meanwhile must not land in the bar's stream when stdout goes elsewhere.
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty())


class _Bar:
    """Adds up events of several subjects into one bar."""

    def __init__(self, bar: "Progress", label: str) -> None:
        self._bar = bar
        self._label = label
        self._task = bar.add_task(label, total=0, files=0)
        self._total = 0
        self._files = 0

    def hear(self, event: Event) -> None:
        match event:
            case Listed(subject, count):
                self._bar.update(self._task, description=f"listing {subject}: {count} files")
            case Planned(plan):
                self._bar.update(self._task, description=self._label)
                self._total += plan.size(Act.FETCH)
                self._bar.update(self._task, total=self._total)
            case Arrived(size):
                self._bar.advance(self._task, size)
            case Ended():
                self._files += 1
                self._bar.update(self._task, files=self._files)
