"""Which XNAT or ConnectomeDB, and as whom: credentials are offered only to the server that they were given for."""

import importlib
import importlib.util
import netrc
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from connectomedb.config.profiles import (
    Environment,
    Table,
    aws_profiles,
    our_profile,
    read_text,
    surroundings,
    text_of,
)
from connectomedb.errors import ConfigError

KEYRING_SERVICE = "connectomedb"
"""Passwords lie in the keyring under this and the server's address: `connectomedb https://db.example.org`."""

Offer: TypeAlias = tuple[str | None, str | None]
"""A user and a password, each None where this place does not say."""


@dataclass(frozen=True, slots=True)
class XnatSettings:
    """A server (address without credentials or trailing slash) and who signs in; no user: as guest.

    For an alias token, `user` is the alias and `password` its secret. The repr hides the password.
    """

    server: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def _keyring_password(service: str, user: str) -> str | None:
    """The password that the system's keyring keeps; a keyring that is not installed or locked knows none."""
    if importlib.util.find_spec("keyring") is None:
        return None
    keyring, errors = importlib.import_module("keyring"), importlib.import_module("keyring.errors")
    try:
        found: str | None = keyring.get_password(service, user)
    except errors.KeyringError:
        return None
    return found


def xnat_settings(
    server: str | None = None,
    user: str | None = None,
    password: str | None = None,
    *,
    anonymous: bool = False,
    profile: str | None = None,
    environment: Environment | None = None,
    home: Path | None = None,
    keyring: Callable[[str, str], str | None] = _keyring_password,
) -> XnatSettings:
    """Which server, and as whom.

    Args:
        server: address, `https://` is assumed when it names no scheme.
        user, password: or alias and secret of a token.
        anonymous: sign in as nobody, whatever credentials lie about.
        profile: of the configuration file; once named, it comes before the environment.
        environment, home: instead of this process's.
        keyring: asked last, with service and user.
    Raises: ConfigError when no server or no password is known, or a file cannot be read.
    """
    environment, home = surroundings(environment, home)
    table = our_profile(profile, environment, home)
    hosts = [environment.get("XNAT_HOST"), text_of(table, "server")]
    address = _server(server or next(filter(None, reversed(hosts) if profile else hosts), None))
    if anonymous:
        if user or password:
            raise ConfigError("Asked for anonymous access with a user name or password. Leave one of the two out.")
        return XnatSettings(address)
    if password and not user:
        raise ConfigError(f"A password for {address} was given without a user. Give both, or neither.")
    if user and password:
        return XnatSettings(address, user, password)
    around = [_offer_of_environment(address, environment), _offer_of_profile(address, table)]
    offers = [
        (user, password),
        *(reversed(around) if profile else around),
        _offer_of_netrc(address, environment, home),
    ]
    name = next((offered for offered, _ in offers if offered), None)
    if name is None:
        raise ConfigError(
            f"No user is known for {address}. Give user and password, set XNAT_USER and XNAT_PASS, "
            "name a profile, or ask for anonymous=True."
        )
    word = next((offered for owner, offered in offers if owner in (name, None) and offered), None)
    word = word or keyring(f"{KEYRING_SERVICE} {address}", name)
    if not word:
        raise ConfigError(f"No password is known for {name} at {address}. Give one, or set XNAT_USER and XNAT_PASS.")
    return XnatSettings(address, name, word)


def server_profile(
    profile: str | None, *, environment: Environment | None = None, home: Path | None = None
) -> str | None:
    """The profile as a server's settings want it: one of `~/.aws` alone has keys to S3, and says nothing of servers.

    Raises ConfigError when neither our configuration file nor `~/.aws` has it.
    """
    environment, home = surroundings(environment, home)
    if profile is None or our_profile(profile, environment, home, must_exist=False):
        return profile
    if profile in aws_profiles(environment, home):
        return None
    return profile if our_profile(profile, environment, home) else None


def _server(text: str | None) -> str:
    """A server's address as we keep it: scheme, host, port and path, no trailing slash, no credentials."""
    if not text:
        raise ConfigError("No server is known. Give its address, set XNAT_HOST, or name a profile.")
    if "@" in text:
        raise ConfigError("The server's address holds a user or password. Give them as user and password instead.")
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_plain = address.isascii() and address.isprintable() and " " not in address and "\\" not in address
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or not is_plain:
        raise ConfigError(f"{text!r} is no address of a server. Write it like https://db.example.org.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"


def _is_same(server: str, meant_for: str) -> bool:
    """Whether credentials for one address may be offered to the other: scheme, host and port agree."""
    one, other = urlsplit(server), urlsplit(_server(meant_for))
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def _offer_of_environment(server: str, environment: Environment) -> Offer:
    meant_for = environment.get("XNAT_HOST")
    if meant_for and not _is_same(server, meant_for):
        return (None, None)
    return (environment.get("XNAT_USER") or None, environment.get("XNAT_PASS") or None)


def _offer_of_profile(server: str, table: Table) -> Offer:
    meant_for = text_of(table, "server")
    if meant_for is None or not _is_same(server, meant_for):
        return (None, None)
    return (text_of(table, "alias") or text_of(table, "user"), text_of(table, "secret") or text_of(table, "password"))


def _offer_of_netrc(server: str, environment: Environment, home: Path) -> Offer:
    path = Path(environment.get("NETRC") or home / ".netrc")
    if read_text(path) is None:
        return (None, None)
    try:
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError as fault:  # its text may quote a password
        raise ConfigError(f"{path} cannot be read: line {fault.lineno} is no netrc. Mend it.") from None
    login, _, password = hosts.get(urlsplit(server).hostname or "", ("", "", ""))
    return (login or None, password or None)
