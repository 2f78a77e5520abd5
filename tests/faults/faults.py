"""What can be done to a reply on its way, and rules that say to which.

A fault strikes one reply; a rule looks at a request and chooses the fault for its reply. Rules are called one
at a time, so they may count.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

BLOCK_BYTES = 64 << 10
MANIFESTS = "/.xdlm/"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it reached the proxy: its number over all, and that of its connection, both from 1.

    `headers` have names in lower case.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    number: int
    connection: int

    @property
    def key(self) -> str:
        """The object's key, empty for a listing."""
        parts = urlsplit(self.target)
        is_listing = "list-type" in parse_qs(parts.query, keep_blank_values=True)
        return "" if is_listing else unquote(parts.path).lstrip("/").partition("/")[2]

    @property
    def wants_manifest(self) -> bool:
        """Whether it asks for the content of a manifest, which must be had before anything else."""
        return self.method == "GET" and MANIFESTS in self.key

    @property
    def wants_data(self) -> bool:
        """Whether it asks for the content of any other object."""
        return self.method == "GET" and bool(self.key) and not self.wants_manifest


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing happens."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends once it has carried `after` bytes of bodies (or of this body): by RST, else by FIN."""

    after: int
    reset: bool = True
    of_this: bool = False


@dataclass(frozen=True, slots=True)
class Stall:
    """The connection falls silent for ever, and stays open, once it has carried `after` bytes of bodies."""

    after: int


@dataclass(frozen=True, slots=True)
class Drip:
    """Once the connection has carried `after` bytes of bodies, one more comes now and then."""

    after: int
    every_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Flip:
    """In each block of 64 KiB of the body, with probability `share`, one byte is another."""

    share: float
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The store is not asked; this comes instead, and the connection is closed."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delay:
    """The reply comes later, by so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lie:
    """Content-Length is wrong by so many bytes.

    Below zero: the body is cut to what is announced, so that the reply is whole in itself. Above: the body
    comes as it is and the connection ends.
    """

    by: int


@dataclass(frozen=True, slots=True)
class Trail:
    """After the body, rubbish follows on a connection that stays open."""

    rubbish: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"


@dataclass(frozen=True, slots=True)
class More:
    """The body is longer than was asked for, and announced so."""

    by: int


@dataclass(frozen=True, slots=True)
class Shift:
    """Another range comes than was asked for, further on by so many bytes, and says so."""

    by: int


@dataclass(frozen=True, slots=True)
class Headed:
    """Fields of the head are others; without a value they are left out."""

    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Chunked:
    """The body comes in chunks without a length, as HTTP allows."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Range is ignored: the whole object comes, with status 200, as HTTP allows."""


@dataclass(frozen=True, slots=True)
class Call:
    """Something happens elsewhere once the connection has carried `after` bytes; the reply itself is right."""

    after: int
    action: Callable[[], None]


Fault: TypeAlias = (
    Pass | Cut | Stall | Drip | Flip | Answer | Delay | Lie | Trail | More | Shift | Headed | Chunked | Whole | Call
)
Rule: TypeAlias = Callable[[Request], Fault]

PASS = Pass()


def passing(request: Request) -> Fault:
    """Nothing happens to any reply."""
    return PASS


def s3_error(status: int, code: str, retry_after_s: int | None = None) -> Answer:
    """An error document as S3 sends it."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>no</Message></Error>'
    retry = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Answer(status, body.encode(), {"Content-Type": "application/xml", **retry})


def on_data(rule: Rule) -> Rule:
    """The rule, for requests of data only: neither listings nor manifests."""
    return lambda request: rule(request) if request.wants_data else PASS


def always(fault: Fault) -> Rule:
    """The fault on each reply that carries data."""
    return on_data(lambda request: fault)


def on_manifests(fault: Fault) -> Rule:
    """The fault on each reply that carries a manifest."""
    return lambda request: fault if request.wants_manifest else PASS


def on_keys(faults: Mapping[str, Fault], times: int | None = None) -> Rule:
    """To each key's end its fault: always, or only the first so many times."""
    seen: Counter[str] = Counter()

    def rule(request: Request) -> Fault:
        end = next((end for end in faults if request.key.endswith(end)), None)
        if end is None or not request.wants_data:
            return PASS
        seen[end] += 1
        return faults[end] if times is None or seen[end] <= times else PASS

    return rule


def on_connections(every: int, fault: Fault) -> Rule:
    """The fault on every k-th connection, data only."""
    return on_data(lambda request: fault if request.connection % every == 0 else PASS)


def in_turn(*faults: Fault) -> Rule:
    """To the first requests for data one fault each."""
    left = iter(faults)
    return on_data(lambda request: next(left, PASS))


def on_share(share: float, fault: Fault, seed: int = 0) -> Rule:
    """The fault on a random share of the requests for data."""
    dice = random.Random(seed)
    return on_data(lambda request: fault if dice.random() < share else PASS)


def on_first(times: int, fault: Fault) -> Rule:
    """The fault on the first few requests for data."""
    numbers = count(1)
    return on_data(lambda request: fault if next(numbers) <= times else PASS)
