"""Turns arguments, environment and files into frozen settings; the only place that reads the environment.

    arguments  >  environment  >  profile of ~/.config/connectomedb/config.toml  >  netrc, keyring, ~/.aws

    default = "lab"                        # profile used when none is named

    [profiles.lab]
    server = "https://db.example.org"
    user = "me"                            # or: alias = "...", for an alias token
    password = "..."                       #     secret = "..."

    [profiles.lab.s3]                      # or: aws_profile = "...", one of ~/.aws
    access_key = "..."                     # also: session_token, region, endpoint_url, anonymous = true
    secret_key = "..."

`CONNECTOMEDB_CONFIG` names another file, `CONNECTOMEDB_PROFILE` another profile. Credentials belong to the
server they were given for: those beside `XNAT_HOST` or a profile's `server` are never offered to another host.
"""

import configparser
import importlib
import importlib.util
import netrc
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from connectomedb.errors import ConfigError

Environment: TypeAlias = Mapping[str, str]
Table: TypeAlias = Mapping[str, object]

KEYRING_SERVICE = "connectomedb"
"""Passwords lie in the keyring under this and the server's address: `connectomedb https://db.example.org`."""

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_UNPROXIED = ("no_proxy", "NO_PROXY")
_LOOPBACK = "127.0.0.1,localhost"
_OPTIONAL_AWS_PROFILES = ("default", "hcp")


@dataclass(frozen=True, slots=True)
class XnatSettings:
    """A server (address without credentials or trailing slash) and who signs in; no user: as guest.

    For an alias token, `user` is the alias and `password` its secret. The repr hides the password.
    """

    server: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How to reach S3. Without keys and not anonymous, the engine's own chain (machine roles) decides.

    The repr hides secret key and token.
    """

    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str | None = None
    endpoint_url: str | None = None
    anonymous: bool = False


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
    environment, home = _surroundings(environment, home)
    table = _profile(profile, environment, home)
    hosts = [environment.get("XNAT_HOST"), _text(table, "server")]
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
    environment, home = _surroundings(environment, home)
    if profile is None or _profile(profile, environment, home, must_exist=False):
        return profile
    if profile in _aws_profiles(environment, home):
        return None
    return profile if _profile(profile, environment, home) else None


def s3_settings(
    access_key: str | None = None,
    secret_key: str | None = None,
    *,
    session_token: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    anonymous: bool = False,
    profile: str | None = None,
    environment: Environment | None = None,
    home: Path | None = None,
) -> S3Settings:
    """How to reach S3. A key pair and its token come from one place; region and endpoint from the first that names one.

    Args:
        anonymous: send no key, whatever lies about.
        profile: of the configuration file (its `s3` table) or of `~/.aws`; asked before the environment.
            Not given: `AWS_PROFILE`, then the profiles `default` and `hcp` of `~/.aws`, if they are there.
        environment, home: instead of this process's.
    Raises: ConfigError for half a key pair, an unknown profile or a file that cannot be read.
    """
    environment, home = _surroundings(environment, home)
    if anonymous and (access_key or secret_key):
        raise ConfigError("Asked for anonymous access to S3 with a key. Leave one of the two out.")
    given = S3Settings(*_keys("the arguments", access_key, secret_key, session_token), region, endpoint_url, anonymous)
    around = _s3_of_environment(environment)
    ours, aws = _s3_of_profiles(profile, environment, home)
    order = (given, ours, aws, around) if profile else (given, around, ours, aws)
    keys = next((found for found in order if found.access_key or found.anonymous), S3Settings())
    return S3Settings(
        keys.access_key,
        keys.secret_key,
        keys.session_token,
        next((found.region for found in order if found.region), None),
        next((found.endpoint_url for found in order if found.endpoint_url), None),
        keys.anonymous,
    )


def _surroundings(environment: Environment | None, home: Path | None) -> tuple[Environment, Path]:
    return (os.environ if environment is None else environment, Path.home() if home is None else home)


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


Offer: TypeAlias = tuple[str | None, str | None]
"""A user and a password, each None where this place does not say."""


def _offer_of_environment(server: str, environment: Environment) -> Offer:
    meant_for = environment.get("XNAT_HOST")
    if meant_for and not _is_same(server, meant_for):
        return (None, None)
    return (environment.get("XNAT_USER") or None, environment.get("XNAT_PASS") or None)


def _offer_of_profile(server: str, table: Table) -> Offer:
    meant_for = _text(table, "server")
    if meant_for is None or not _is_same(server, meant_for):
        return (None, None)
    return (_text(table, "alias") or _text(table, "user"), _text(table, "secret") or _text(table, "password"))


def _offer_of_netrc(server: str, environment: Environment, home: Path) -> Offer:
    path = Path(environment.get("NETRC") or home / ".netrc")
    if _read(path) is None:
        return (None, None)
    try:
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError as fault:  # its text may quote a password
        raise ConfigError(f"{path} cannot be read: line {fault.lineno} is no netrc. Mend it.") from None
    login, _, password = hosts.get(urlsplit(server).hostname or "", ("", "", ""))
    return (login or None, password or None)


def _profile(name: str | None, environment: Environment, home: Path, *, must_exist: bool = True) -> Table:
    """One profile of our configuration file; empty when none is named and there is no default."""
    base = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    path = Path(environment.get("CONNECTOMEDB_CONFIG") or base / "connectomedb" / "config.toml")
    document = _read_toml(path)
    named = name or environment.get("CONNECTOMEDB_PROFILE") or _text(document, "default")
    profiles = _subtable(document, "profiles")
    if named is None or (named not in profiles and not must_exist):
        return {}
    if named not in profiles:
        there = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"Asked for the profile {named!r}. {path} has: {there}.")
    return _subtable(profiles, named)


def _read_toml(path: Path) -> Table:
    try:
        return tomllib.loads(_read(path) or "")
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(f"{path} cannot be read as TOML: {fault}. Mend it or move it away.") from None


def _read(path: Path) -> str | None:
    """The text of a file, None if there is none. Raises ConfigError when it is there and cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}. Mend it or move it away.") from None


def _text(table: Table, key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"The configuration file's {key!r} should be text in quotes.")
    return value or None


def _subtable(table: Table, key: str) -> Table:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"The configuration file's {key!r} should be a table.")
    return value


def _keys(
    place: str, access: str | None, secret: str | None, token: str | None
) -> tuple[str | None, str | None, str | None]:
    """A key pair with its token, whole or absent. Raises ConfigError for a half."""
    if bool(access) != bool(secret):
        raise ConfigError(f"Of the S3 keys, {place} hold only one. Give the access key and the secret key.")
    if not access or not secret:
        return (None, None, None)
    return (access, secret, token or None)


def _s3_of_environment(environment: Environment) -> S3Settings:
    get = environment.get
    return S3Settings(
        *_keys("the variables AWS_*", get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN")),
        get("AWS_REGION") or get("AWS_DEFAULT_REGION") or None,
        get("AWS_ENDPOINT_URL_S3") or get("AWS_ENDPOINT_URL") or None,
    )


def _s3_of_profiles(name: str | None, environment: Environment, home: Path) -> tuple[S3Settings, S3Settings]:
    """What our configuration file and `~/.aws` say; a given name must be in one of them."""
    ours = _profile(name, environment, home, must_exist=False)
    table = _subtable(ours, "s3")
    profiles = _aws_profiles(environment, home)
    if name and (name in profiles or not ours):
        wanted: str | None = name
    else:
        around, told = environment.get("AWS_PROFILE"), _text(table, "aws_profile")
        wanted = told or around if name else around or told
    if wanted and wanted not in profiles:
        there = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"Asked for the profile {wanted!r}. Our configuration file has none; ~/.aws has: {there}.")
    choices = (wanted,) if wanted else _OPTIONAL_AWS_PROFILES
    aws = next((profiles[choice] for choice in choices if choice in profiles), {})
    return (_s3_of_table(table), _s3_of_aws(aws))


def _s3_of_table(table: Table) -> S3Settings:
    return S3Settings(
        *_keys("the profile's s3 table", *(_text(table, key) for key in ("access_key", "secret_key", "session_token"))),
        _text(table, "region"),
        _text(table, "endpoint_url"),
        table.get("anonymous") is True,
    )


def _s3_of_aws(aws: Environment) -> S3Settings:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return S3Settings(
        *_keys("the profile in ~/.aws", *(aws.get(name) for name in names)), aws.get("region"), aws.get("endpoint_url")
    )


def _aws_profiles(environment: Environment, home: Path) -> dict[str, dict[str, str]]:
    """All profiles of `~/.aws/config` and `~/.aws/credentials`, the latter winning.

    Source: file format of the AWS command line tools; in `config` all but `default` are headed `profile NAME`.
    """
    profiles: dict[str, dict[str, str]] = {}
    for variable, name in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        path = Path(environment.get(variable) or home / ".aws" / name)
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(_read(path) or "")
        except configparser.Error:
            raise ConfigError(f"{path} cannot be read: it is no profile file. Mend it or give the keys.") from None
        for section in parser.sections():
            profiles.setdefault(section.removeprefix("profile ").strip(), {}).update(parser.items(section))
    return profiles


def is_proxied(environment: Environment | None = None) -> bool:
    """Whether the environment (this process's, unless given) names a proxy for any requests."""
    variables = os.environ if environment is None else environment
    return any(variables.get(name) or variables.get(name.upper()) for name in _PROXIES)


def spare_loopback(environment: Environment) -> dict[str, str]:
    """Variables to set so that this machine is asked directly although a proxy is named; none where none is."""
    if not is_proxied(environment):
        return {}
    spared = next((environment[name] for name in _UNPROXIED if environment.get(name)), "")
    value = f"{spared},{_LOOPBACK}" if spared else _LOOPBACK
    return dict.fromkeys(_UNPROXIED, value)
