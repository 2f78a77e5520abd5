"""Where files come from, as options of a command: folders, a bucket, a server; one of them will do."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli._options import bucket_options, has_server, open_interface, open_s3_mirror, server_options
from connectomedb.errors import ConfigError

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface
    from connectomedb.mirror.mirror import Mirror


_FROM = click.option(
    "--from",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that holds the release, asked first; may be repeated.",
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What was said about where files come from."""

    folders: tuple[Path, ...]
    bucket: str | None
    endpoint_url: str | None
    prefix: str | None
    server: str | None
    user: str | None
    profile: str | None
    anonymous: bool

    def open(self, stack: ExitStack, folder: Path) -> "Mirror":
        """A mirror in a folder: other folders first, then the bucket, then the server. Raises ConfigError."""
        return self.open_both(stack, folder)[0]

    def interface(self, stack: ExitStack, folder: Path) -> "Interface":
        """The server, with that mirror as its own. Raises ConfigError when no server is known."""
        return must_ask(self.open_both(stack, folder)[1])

    def open_both(self, stack: ExitStack, folder: Path) -> "tuple[Mirror, Interface | None]":
        """The mirror, and the server if one is known."""
        from connectomedb.config.server import server_profile
        from connectomedb.mirror.mirror import Mirror
        from connectomedb.stores.folder import FolderSource

        near: Mirror | None = Mirror(folder, [], prefix=self.prefix) if self.folders else None
        if self.bucket:
            near = open_s3_mirror(self.bucket, folder, self.endpoint_url, self.prefix, self.profile, self.anonymous)
        if near is not None and self.folders:
            near = near.with_first(*map(FolderSource, self.folders))
        profile = server_profile(self.profile)
        if has_server(self.server, profile):
            own = near or Mirror(folder, [], prefix=self.prefix)
            db = stack.enter_context(open_interface(self.server, self.user, profile, self.anonymous, own))
            return own.with_fallback(db.store_of), db
        if near is None:
            raise ConfigError("No source is known. Name a bucket (--bucket), a server (--server) or a folder (--from).")
        return near, None


def must_ask(db: "Interface | None") -> "Interface":
    """The server that a predicate is asked of. Raises ConfigError when none is known."""
    if db is None:
        raise ConfigError("A predicate is asked of a server. Name one (--server, XNAT_HOST).")
    return db


def source_options(command: Callable[..., object]) -> Callable[..., object]:
    """The options of folders, bucket and server, handed to the command as one value, `sources`."""
    return _FROM(bucket_options(server_options(packed(command, "sources", Sources))))


def packed(command: Callable[..., object], name: str, kind: Callable[..., object]) -> Callable[..., object]:
    """Hand a command the options that are fields of a dataclass as one value of it."""
    fields = tuple(signature(kind).parameters)

    @wraps(command)
    def called(**words: object) -> object:
        words[name] = kind(**{field: words.pop(field) for field in fields})
        return command(**words)

    return called
