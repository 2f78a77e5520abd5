"""How to reach S3: a key pair comes from one place, whole; region and endpoint from the first that names one."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from connectomedb.config.profiles import (
    Environment,
    Table,
    aws_profiles,
    our_profile,
    surroundings,
    table_of,
    text_of,
)
from connectomedb.errors import ConfigError

_ENDPOINT = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_OPTIONAL_AWS_PROFILES = ("default", "hcp")


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
    Raises: ConfigError for half a key pair, an unknown profile, a file that cannot be read or an endpoint that is none.
    """
    environment, home = surroundings(environment, home)
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
        _checked_endpoint(next((found.endpoint_url for found in order if found.endpoint_url), None)),
        keys.anonymous,
    )


def _checked_endpoint(url: str | None) -> str | None:
    """An endpoint's address. Raises ConfigError for what is none."""
    if url is not None and not _ENDPOINT.match(url):
        raise ConfigError(
            f"Asked for S3 at {url!r}. Write its address like https://s3.example.org or http://[::1]:8333."
        )
    return url


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
    ours = our_profile(name, environment, home, must_exist=False)
    table = table_of(ours, "s3")
    profiles = aws_profiles(environment, home)
    if name and (name in profiles or not ours):
        wanted: str | None = name
    else:
        around, told = environment.get("AWS_PROFILE"), text_of(table, "aws_profile")
        wanted = told or around if name else around or told
    if wanted and wanted not in profiles:
        there = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(f"Asked for the profile {wanted!r}. Our configuration file has none; ~/.aws has: {there}.")
    choices = (wanted,) if wanted else _OPTIONAL_AWS_PROFILES
    aws = next((profiles[choice] for choice in choices if choice in profiles), {})
    return (_s3_of_table(table), _s3_of_aws(aws))


def _s3_of_table(table: Table) -> S3Settings:
    names = ("access_key", "secret_key", "session_token")
    return S3Settings(
        *_keys("the profile's s3 table", *(text_of(table, name) for name in names)),
        text_of(table, "region"),
        text_of(table, "endpoint_url"),
        table.get("anonymous") is True,
    )


def _s3_of_aws(aws: Environment) -> S3Settings:
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    return S3Settings(
        *_keys("the profile in ~/.aws", *(aws.get(name) for name in names)), aws.get("region"), aws.get("endpoint_url")
    )
