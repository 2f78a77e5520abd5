"""One large file in ranges: written in place, hashed in order as they come.

Whoever fetches it receives one stretch after the other and hashes each piece while it passes. Where few files are under
way, lanes help: each receives a range further on into a buffer, which is hashed when its turn comes. Where many are,
the wire is full without lanes, and no byte need be copied. Lanes take a buffer before they take a range, so the range
that the hashing waits for always has one; the number of buffers bounds the memory.
"""

import queue
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from connectomedb.errors import ConnectomeDBError, Interrupted
from connectomedb.transfer.digest import Digest
from connectomedb.transfer.feed import Feed
from connectomedb.transfer.part import PartFile
from connectomedb.transfer.source import Sink, Streams

RANGE_BYTES = 8 << 20
LANES = 4
BUFFERS = 8
STRETCH = 8
"""Ranges that one request brings from a store far away where no lane helps: each costs a way there and back."""

FEW = 4
"""With fewer files under way than this, lanes help."""


class Lanes:
    """Threads and buffers that all large files of a run share, and how many files are under way.

    `to_come` is how many more wait for their turn, as far as is known.
    """

    def __init__(self, lanes: int = LANES, buffers: int = BUFFERS) -> None:
        self.count = lanes
        self.to_come = 0
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane")
        self._under_way = 0
        self._lock = threading.Lock()
        self._free: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        for _ in range(buffers):
            self._free.put(None)

    @property
    def are_wanted(self) -> bool:
        """Whether so few files are left that one of them may take all lanes."""
        return self._under_way + self.to_come < FEW

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """A file is under way."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def submit(self, work: "LargeDownload") -> "Future[None]":
        """Let a lane work for a download."""
        return self._pool.submit(work.receive)

    def take(self) -> bytearray:
        """A buffer of one range; made when first needed."""
        return self._free.get() or bytearray(RANGE_BYTES)

    def give_back(self, buffer: bytearray) -> None:
        """Let others have it."""
        self._free.put(buffer)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class LargeDownload:
    """One file of known size on its way into a part file."""

    def __init__(
        self, part: PartFile, size: int, feed: Feed, digest: Digest, lanes: Lanes, stop: threading.Event
    ) -> None:
        self._part = part
        self._size = size
        self._feed = feed
        self._digest = digest
        self._lanes = lanes
        self._stop = stop
        self._changed = threading.Condition()
        self._received: dict[int, bytearray] = {}
        self._on_disk = {offset for offset, length in part.ranges.items() if length == self._length(offset)}
        self._todo = deque(offset for offset in range(0, size, RANGE_BYTES) if offset not in self._on_disk)
        self._fault: BaseException | None = None
        self._helping: list[Future[None]] = []
        self.resumed = sum(self._length(offset) for offset in self._on_disk)

    def run(self) -> str:
        """Bring all ranges, and return the MD5 of the whole file. Raises what a source or the disk raised."""
        try:
            return self._receive_and_hash()
        except BaseException as fault:
            self._fail(fault)
            raise
        finally:
            for lane in self._helping:
                lane.cancel()
            for lane in self._helping:
                if not lane.cancelled():
                    lane.result()
            for buffer in self._received.values():
                self._lanes.give_back(buffer)

    def receive(self) -> None:
        """A lane's work: range after range until there is none, or something failed."""
        while self._fault is None:
            buffer = self._lanes.take()
            offset = self._take_range()
            if offset is None:
                self._lanes.give_back(buffer)
                return
            try:
                self._fill(buffer, offset)
            except BaseException as fault:
                self._lanes.give_back(buffer)
                self._fail(fault)
                return
            with self._changed:
                self._received[offset] = buffer
                self._changed.notify_all()

    def _receive_and_hash(self) -> str:
        digest = self._digest
        offset = 0
        while offset < self._size:
            self._call_lanes()
            length = self._length(offset)
            if offset in self._on_disk:
                digest.update(self._part.read(offset, length))
            elif stretch := self._take_stretch(offset):
                length = stretch
                self._pass_through(digest.update, offset, length)
            else:
                buffer = self._wait_for(offset)
                digest.update(memoryview(buffer)[:length])
                self._lanes.give_back(buffer)
            offset += length
        return digest.hexdigest()

    def _call_lanes(self) -> None:
        """Have help, once, where few other files are under way."""
        if not self._helping and self._feed.streams is not Streams.ONE and self._lanes.are_wanted:
            self._helping = [self._lanes.submit(self) for _ in range(min(len(self._todo) - 1, self._lanes.count))]

    def _take_range(self) -> int | None:
        """The next range, for one lane alone."""
        with self._changed:
            return self._todo.popleft() if self._todo and self._fault is None else None

    def _take_stretch(self, offset: int) -> int:
        """How many bytes from here on nobody else will receive: 0 where a lane has the range already."""
        end = offset
        with self._changed:
            for _ in range(STRETCH if self._feed.streams is Streams.MANY and not self._helping else 1):
                if self._fault is None and self._todo and self._todo[0] == end:
                    end += self._length(self._todo.popleft())
        return end - offset

    def _fill(self, buffer: bytearray, offset: int) -> None:
        view, filled = memoryview(buffer), 0

        def take(piece: memoryview) -> None:
            nonlocal filled
            end = filled + len(piece)
            view[filled:end] = piece
            filled = end

        self._pass_through(take, offset, self._length(offset))

    def _pass_through(self, sink: Sink, offset: int, length: int) -> None:
        """Receive a stretch: each piece goes to the disk and to the sink; whole ranges are recorded."""
        end = noted = offset

        def take(piece: memoryview) -> None:
            nonlocal end, noted
            self._part.write(piece, end)
            end += len(piece)
            sink(piece)
            while noted < end and noted + self._length(noted) <= end:
                noted += self._record(noted)

        self._feed.pour(take, offset, length)

    def _record(self, offset: int) -> int:
        """Note a range as written, the first one with where it came from; its length."""
        for source, version in list(self._feed.versions.items())[:1]:
            if self._part.origin is None:
                self._part.came_from(source, version)
        length = self._length(offset)
        self._part.written(offset, length)
        return length

    def _wait_for(self, offset: int) -> bytearray:
        with self._changed:
            while offset not in self._received:
                if self._fault is not None:
                    raise self._fault
                if self._stop.is_set():
                    raise Interrupted("The run was stopped. Run again to go on.")
                self._changed.wait(0.5)
            return self._received.pop(offset)

    def _fail(self, fault: BaseException) -> None:
        with self._changed:
            if self._fault is None or not isinstance(self._fault, ConnectomeDBError):
                self._fault = self._fault or fault
            self._changed.notify_all()

    def _length(self, offset: int) -> int:
        return min(RANGE_BYTES, self._size - offset)
