"""Bytes of one file out of several sources: the next goes on at the byte where one broke off."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from connectomedb.errors import Interrupted, ObjectMissing, StoreError, StoreUnreachable, VersionChanged
from connectomedb.transfer.gate import Gate
from connectomedb.transfer.retry import Health, Patience
from connectomedb.transfer.source import Sink, Source, Span, Streams


class Feed:
    """The sources of one file, nearest first, and how much we put up with.

    Args:
        versions: source name → version of the object that the bytes must belong to; grows as sources answer.
        gate: bounds how many bodies come at once from a source that is near.
        size: bytes of the whole file, which decide who goes first through the gate.
        on_bytes: hears the length of each piece that arrived.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        health: Health,
        stop: threading.Event,
        on_bytes: Callable[[int], None],
        versions: dict[str, str] | None = None,
        gate: Gate | None = None,
        size: int = 0,
    ) -> None:
        self.sources = tuple(sources)
        self.versions = {} if versions is None else versions
        self.served: dict[str, None] = {}
        self._health = health
        self._stop = stop
        self._on_bytes = on_bytes
        self._gate = gate
        self._size = size

    @property
    def streams(self) -> Streams:
        """How many requests at once serve the source best that would be asked first."""
        return self._health.order(self.sources)[0].streams if self.sources else Streams.ONE

    def pour(self, sink: Sink, offset: int = 0, length: int | None = None) -> None:
        """Hand the bytes from `offset`, `length` of them or all that follow, to the sink, each once and in order.

        Raises: Interrupted, VersionChanged, or the StoreError that ended our patience.
        """
        flow = _Flow(sink, self._stop, self._on_bytes, length)
        patience = Patience(self._stop)
        while True:
            before = flow.received
            with self._turn():
                fault = self._ask_each(flow, offset, length)
            if fault is None:
                return
            if flow.received > before:
                patience.progressed()
            if not patience.wait_after(fault):
                self._check_stop()
                raise fault

    def _turn(self) -> AbstractContextManager[None]:
        """Room for one more body, where that is bounded."""
        if self._gate is None or self.streams is not Streams.FEW:
            return nullcontext()
        return self._gate.passing(self._size, self._stop)

    def _ask_each(self, flow: "_Flow", offset: int, length: int | None) -> StoreError | None:
        """Ask one source after the other; None when all is there, else the fault to act on."""
        fault: StoreError | None = None
        for source in self._health.order(self.sources):
            start = flow.received
            left = None if length is None else length - start
            if left == 0:
                return None
            try:
                span = Span(offset + start, left, self.versions.get(source.name))
                source.pour(partial(flow.take, source.name), span, partial(self._note, source.name))
            except VersionChanged:
                raise
            except StoreError as broken:
                # A file that is not there says nothing about the source; and a fault that may pass counts most.
                if not isinstance(broken, ObjectMissing):
                    self._health.failed(source.name)
                if fault is None or broken.transient or isinstance(fault, ObjectMissing):
                    fault = broken
                if flow.received > start:
                    self.served[source.name] = None
                continue
            self.served[source.name] = None
            self._health.answered(source.name)
            if length is None or flow.received >= length:
                return None
            fault = StoreUnreachable(f"{source.name} ended before the last byte.", store=source.name)
        return fault or ObjectMissing("No source was named.")

    def _note(self, source: str, version: str) -> None:
        """Before the first byte of each reply: ranges asked for at once may meet an object that was replaced."""
        if self.versions.setdefault(source, version) != version:
            raise VersionChanged(f"{source} replaced the file while it was read: begin anew.", store=source)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Interrupted("The run was stopped. Run again to go on.")


class _Flow:
    """Counts what passes, refuses more than was asked for, and lets a stop through."""

    def __init__(self, sink: Sink, stop: threading.Event, on_bytes: Callable[[int], None], length: int | None) -> None:
        self.received = 0
        self._length = length
        self._sink = sink
        self._stop = stop
        self._on_bytes = on_bytes

    def take(self, source: str, piece: memoryview) -> None:
        if self._stop.is_set():
            raise Interrupted("The run was stopped. Run again to go on.")
        if self._length is not None and self.received + len(piece) > self._length:
            what = f"Asked {source} for {self._length} bytes of a file. It sends more: something stands between."
            raise StoreUnreachable(f"{what} Check endpoint and network, then run again.", store=source)
        self._sink(piece)
        self.received += len(piece)
        self._on_bytes(len(piece))
