"""Settings of a server: one TOML file, one parser, frozen values.

The file is `cdb.toml` in the data folder, or the one that `--config` names; `docs/server.md` shows every
key. What is said on the command line counts more than the environment, and that more than the file.
A secret is never a value in the file: it comes from the environment, or from a file of its own that a
key names.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from connectomedb.errors import ConfigError

MOST_SECONDS = 1e12
"""Longer times are no numbers of seconds: they would not fit into a date."""

STORES = "stores"
"""The section that `server.folder` reads: each store has keys of its own kind."""


def key(default: Any, meaning: str) -> Any:
    """A setting with its default value, and what it means."""
    return field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True, slots=True)
class Listening:
    """Section `[server]`: where it answers, and by how many processes."""

    host: str = key("127.0.0.1", "address to listen on")
    port: int = key(8080, "port to listen on; 0 takes a free one")
    workers: int = key(1, "processes that share the port")
    tls_certificate: str = key("", "file of the certificate chain, in PEM; with it the server speaks HTTPS")
    tls_key: str = key("", "file of the certificate's private key, in PEM")
    trusted_proxies: tuple[str, ...] = key((), "addresses or networks whose X-Forwarded-For and -Proto are believed")
    stop_within_s: int = key(30, "how long requests under way may take at a stop, in seconds")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Section `[database]`: which one, and how long it may think."""

    url: str = key("", "postgresql://USER@HOST/NAME, without a password; empty is SQLite in the data folder")
    password_file: str = key("", "file that holds the password alone; the environment has CDB_DATABASE_PASSWORD")
    statement_timeout_s: float = key(60.0, "after which a search is told that it took too long, in seconds")


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Section `[access]`: who comes in, and for how long; the defaults of a careful lab."""

    is_open_to_guests: bool = key(False, "nobody's requests run as guest, who sees public and protected projects")
    lists_users_to_all: bool = key(False, "everybody signed in may list all users with their mail addresses")
    session_idle: timedelta = key(timedelta(minutes=30), "after which an unused session ends, in seconds")
    session_lifetime: timedelta = key(timedelta(hours=24), "after which every session ends, in seconds")
    most_sessions: int = key(1_000, "sessions of one user at once; the oldest ends when there are more")
    token_lifetime: timedelta = key(timedelta(days=2), "of an alias token, in seconds")
    password_min_length: int = key(8, "fewest characters of a password that is chosen from now on")
    free_failures: int = key(5, "wrong passwords for one login before its door closes for a while")
    free_failures_of_address: int = key(50, "the same for one address, behind which an institute may be")
    first_delay: timedelta = key(timedelta(seconds=1), "how long the door stays closed first, in seconds; then twice")
    longest_delay: timedelta = key(timedelta(minutes=5), "how long at most, in seconds")
    failures_forgotten_after: timedelta = key(timedelta(hours=1), "without a failure counting begins anew, in seconds")
    smallest_group: int = key(5, "fewer people are no bar in a chart of restricted columns; 0 shows all")


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Section `[files]`: how files are kept and sent, and how many a request may bring."""

    uploads: str = key("archive", "store in which uploads are kept: the folder's own, or one of [stores.NAME]")
    max_upload_bytes: int = key(64 << 30, "longest body of one upload, in bytes")
    max_unpacked_bytes: int = key(256 << 30, "most bytes that one archive may unpack to")
    max_members: int = key(100_000, "most files in one upload")
    project_quota_bytes: int = key(0, "most bytes that the files of one project may have together; 0 is no bound")
    redirect: bool = key(False, "clients that can follow are sent to the bucket itself for the bytes of a file")
    redirect_s: int = key(300, "how long such an address is good for beginning a download, in seconds")


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """Section `[images]`: what looking into one image may take, and how many pictures are kept."""

    read_bytes: int = key(4 << 30, "most bytes that one look into an image reads, unpacked")
    memory_bytes: int = key(256 << 20, "most bytes of an image that are in memory at once")
    within_s: int = key(30, "longest time that one look into an image may take, in seconds")
    at_once: int = key(2, "looks into images at the same time per process; more wait, then are told to come back")
    cache_bytes: int = key(256 << 20, "most bytes of small pictures that are kept in the data folder; 0 keeps none")


@dataclass(frozen=True, slots=True)
class Limits:
    """Section `[limits]`: what a request may take."""

    header_bytes: int = key(32768, "most bytes of a request's line and headers")
    idle_s: int = key(30, "how long a connection may stand idle, and how long headers may take, in seconds")
    pause_s: int = key(30, "how long a body may pause before its request is given up, in seconds")
    body_bytes_per_s: int = key(256, "slowest body in bytes per second, on average after the first pause")
    connections: int = key(1000, "most connections at once per process; more are told to come back")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Section `[log]`: what is written to stderr."""

    level: str = key("info", "debug, info, warning or error")
    requests: bool = key(True, "whether each request is one line")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; `folder` is the data folder."""

    folder: str = key("", "the data folder, when the command line does not name it")
    server: Listening = Listening()
    database: DatabaseSettings = DatabaseSettings()
    access: AccessSettings = AccessSettings()
    files: FileSettings = FileSettings()
    images: ImageSettings = ImageSettings()
    limits: Limits = Limits()
    log: LogSettings = LogSettings()


T = TypeVar("T")


def read_settings(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a file, of none when it is not there, and of the environment. Raises ConfigError."""
    document = _read(path) if path else {}
    document.pop(STORES, None)
    settings = _section(Settings, document, str(path), "")
    _check(settings, str(path))
    given = os.environ if environment is None else environment
    database = replace(settings.database, url=given.get("CDB_DATABASE_URL") or settings.database.url)
    return replace(settings, database=_with_password(database, given.get("CDB_DATABASE_PASSWORD", "")))


def with_database(settings: Settings, url: str) -> Settings:
    """Settings with another database, as named on the command line, which everybody can read. Raises ConfigError."""
    _check_url(url, "--database")
    chosen = replace(settings.database, url=url)
    return replace(settings, database=_with_password(chosen, os.environ.get("CDB_DATABASE_PASSWORD", "")))


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ConfigError(f"Read {path}: {fault}. Put it right, or remove it.") from fault


def _section(kind: type[T], document: Mapping[str, Any], where: str, name: str) -> T:
    types = get_type_hints(kind)
    known = [item.name for item in fields(kind)]  # type: ignore[arg-type]  # every kind here is a dataclass
    values: dict[str, Any] = {}
    for word, value in document.items():
        full = f"{name}.{word}" if name else word
        if word not in types:
            raise ConfigError(f"Read {where}: unknown {full!r}.{_suggestion(word, known)}")
        values[word] = _value(types[word], value, where, full)
    return kind(**values)


def _value(kind: Any, value: Any, where: str, name: str) -> Any:
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        if not isinstance(value, dict):
            raise ConfigError(f"Read {where}: {name} is a section. Write [{name}] and its keys below.")
        return _section(kind, value, where, name)
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind is timedelta and type(value) in (int, float) and abs(value) < MOST_SECONDS:
        return timedelta(seconds=value)
    if type(value) is not kind:
        raise ConfigError(f"Read {where}: {name} must be {_WORDS[kind]}.")
    return value


_WORDS: Mapping[Any, str] = {
    timedelta: "a number of seconds",
    str: "a text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple[str, ...]: 'a list of texts, like ["10.0.0.1"]',
}


def _suggestion(word: str, known: list[str]) -> str:
    near = get_close_matches(word.lower(), known, n=1)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" There are: {', '.join(known)}. Secrets belong into the environment."


def _check(settings: Settings, where: str) -> None:
    """What types cannot say."""
    listening, limits, access, kept = settings.server, settings.limits, settings.access, settings.files
    images = settings.images
    times = {name: value for name, value in asdict(access).items() if isinstance(value, timedelta)}
    numbers: dict[str, tuple[float, float, float]] = {
        "server.port": (listening.port, 0, 65_535),
        "server.workers": (listening.workers, 1, 64),
        "server.stop_within_s": (listening.stop_within_s, 0, 3_600),
        "database.statement_timeout_s": (settings.database.statement_timeout_s, 0.01, 86_400),
        "files.max_upload_bytes": (kept.max_upload_bytes, 1, 1 << 50),
        "files.max_unpacked_bytes": (kept.max_unpacked_bytes, 1, 1 << 50),
        "files.max_members": (kept.max_members, 1, 1 << 30),
        "files.project_quota_bytes": (kept.project_quota_bytes, 0, 1 << 60),
        "files.redirect_s": (kept.redirect_s, 1, 7 * 86_400),
        "images.read_bytes": (images.read_bytes, 1 << 20, 1 << 50),
        "images.memory_bytes": (images.memory_bytes, 4 << 20, 1 << 40),
        "images.within_s": (images.within_s, 1, 3_600),
        "images.at_once": (images.at_once, 1, 64),
        "images.cache_bytes": (images.cache_bytes, 0, 1 << 50),
        "limits.header_bytes": (limits.header_bytes, 1_024, 1 << 20),
        "limits.idle_s": (limits.idle_s, 1, 3_600),
        "limits.pause_s": (limits.pause_s, 1, 3_600),
        "limits.body_bytes_per_s": (limits.body_bytes_per_s, 0, 1 << 30),
        "limits.connections": (limits.connections, 1, 1 << 20),
        "access.most_sessions": (access.most_sessions, 1, 1 << 20),
        "access.password_min_length": (access.password_min_length, 1, 100),
        "access.smallest_group": (access.smallest_group, 0, 1_000),
        "access.free_failures": (access.free_failures, 1, 1 << 20),
        "access.free_failures_of_address": (access.free_failures_of_address, 1, 1 << 20),
        **{f"access.{name}": (value.total_seconds(), 1, 366 * 86_400) for name, value in times.items()},
    }
    for name, (number, least, most) in numbers.items():
        if not least <= number <= most:
            raise ConfigError(f"Read {where}: {name} is {number}. Choose {least} to {most}.")
    if settings.log.level not in LEVELS:
        raise ConfigError(f"Read {where}: log.level is {settings.log.level!r}. Choose one of {', '.join(LEVELS)}.")
    if bool(listening.tls_certificate) != bool(listening.tls_key):
        raise ConfigError(f"Read {where}: server.tls_certificate and server.tls_key go together. Give both or none.")
    _check_url(settings.database.url, f"Read {where}: database.url")


LEVELS = ("debug", "info", "warning", "error")


def _check_url(url: str, where: str) -> None:
    try:
        has_password = bool(url and (make_url(url).password or "password" in make_url(url).query))
    except (ArgumentError, ValueError):
        raise ConfigError(f"{where} is no address of a database. Write postgresql://USER@HOST/NAME.") from None
    if has_password:
        raise ConfigError(
            f"{where} holds a password, which others could read. Put it into CDB_DATABASE_PASSWORD, or into a file "
            "that database.password_file names."
        )


def _with_password(database: DatabaseSettings, password: str) -> DatabaseSettings:
    if database.password_file and not password:
        try:
            password = Path(database.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise ConfigError(f"Read the password of the database from {database.password_file}: {fault}.") from fault
    if not database.url or not password:
        return database
    url = make_url(database.url).set(password=password)
    return replace(database, url=url.render_as_string(hide_password=False))
