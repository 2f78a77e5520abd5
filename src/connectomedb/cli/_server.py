"""Which server and as whom, as one value handed to the commands of a group."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectomedb.cli._options import open_interface, server_options
from connectomedb.cli._sources import packed

if TYPE_CHECKING:
    from connectomedb.client.interface import Interface


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """What was said about the server."""

    server: str | None
    user: str | None
    profile: str | None
    anonymous: bool

    def open(self) -> "Interface":
        """The server, as a context. Raises ConfigError."""
        return open_interface(self.server, self.user, self.profile, self.anonymous)


def with_server(command: Callable[..., object]) -> Callable[..., object]:
    """The options of a server, handed to the command as one value, `chosen`."""
    return server_options(packed(command, "chosen", ServerChoice))
