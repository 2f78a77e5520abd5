"""One large file in ranges: several on their way at once, written in place, hashed in order as they come.

A lane receives a range into a buffer, writes it, and hands the buffer to the thread that hashes; that thread takes
buffers in the order of the file and gives them back. Lanes take a buffer before they take a range, so the range that
the hashing waits for always has one; the number of buffers bounds the memory.
"""

import hashlib
import queue
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from connectomedb.errors import ConnectomeDBError, Interrupted
from connectomedb.transfer.feed import Feed
from connectomedb.transfer.part import PartFile

RANGE_BYTES = 8 << 20
LANES = 4
BUFFERS = 8


class Lanes:
    """Threads and buffers that all large files of a run share."""

    def __init__(self, lanes: int = LANES, buffers: int = BUFFERS) -> None:
        self.count = lanes
        self._pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane")
        self._free: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        for _ in range(buffers):
            self._free.put(None)

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

    def __init__(self, part: PartFile, size: int, feed: Feed, lanes: Lanes, stop: threading.Event) -> None:
        self._part = part
        self._size = size
        self._feed = feed
        self._lanes = lanes
        self._stop = stop
        self._changed = threading.Condition()
        self._received: dict[int, bytearray] = {}
        self._on_disk = {offset for offset, length in part.ranges.items() if length == self._length(offset)}
        self._todo = deque(offset for offset in range(0, size, RANGE_BYTES) if offset not in self._on_disk)
        self._fault: BaseException | None = None
        self.resumed = sum(self._length(offset) for offset in self._on_disk)

    def run(self) -> str:
        """Bring all ranges, and return the MD5 of the whole file. Raises what a source or the disk raised."""
        count = min(len(self._todo), self._lanes.count if self._feed.is_parallel else 1)
        working = [self._lanes.submit(self) for _ in range(count)]
        try:
            return self._hash()
        except BaseException as fault:
            self._fail(fault)
            raise
        finally:
            for lane in working:
                lane.cancel()
            for lane in working:
                if not lane.cancelled():
                    lane.result()
            for buffer in self._received.values():
                self._lanes.give_back(buffer)

    def receive(self) -> None:
        """A lane's work: range after range until there is none, or something failed."""
        while self._fault is None:
            buffer = self._lanes.take()
            with self._changed:
                offset = self._todo.popleft() if self._todo and self._fault is None else None
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

    def _fill(self, buffer: bytearray, offset: int) -> None:
        view, filled = memoryview(buffer), 0

        def take(piece: memoryview) -> None:
            nonlocal filled
            end = filled + len(piece)
            view[filled:end] = piece
            self._part.write(view[filled:end], offset + filled)
            filled = end

        self._feed.pour(take, offset, self._length(offset))
        for source, version in list(self._feed.versions.items())[:1]:
            if self._part.origin is None:
                self._part.came_from(source, version)
        self._part.written(offset, filled)

    def _hash(self) -> str:
        digest = hashlib.md5(usedforsecurity=False)
        for offset in range(0, self._size, RANGE_BYTES):
            length = self._length(offset)
            if offset in self._on_disk:
                digest.update(self._part.read(offset, length))
                continue
            buffer = self._wait_for(offset)
            digest.update(memoryview(buffer)[:length])
            self._lanes.give_back(buffer)
        return digest.hexdigest()

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
