"""Password hashes: argon2id, one verification at a cost that guessing cannot bear.

A wrong user name takes as long as a wrong password, so that names cannot be told by the clock.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from connectomedb.errors import ConfigError

MAX_BYTES = 1024
"""Longest password: a longer one is no password but an attack on the processor."""

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """A salted hash, which names its own parameters. Raises ConfigError for a password that is empty or too long."""
    if not password or len(password.encode()) > MAX_BYTES:
        raise ConfigError(f"A password has 1 to {MAX_BYTES} bytes. Choose another one.")
    return _HASHER.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password made the hash. No hash (no such user) costs the same and is never true."""
    if len(password.encode()) > MAX_BYTES:
        return False
    try:
        return _HASHER.verify(password_hash or hash_of_nobody(), password) and password_hash is not None
    except (Argon2Error, InvalidHashError):
        return False


@cache
def hash_of_nobody() -> str:
    """Made once; call it early, or the first wrong user name takes twice as long as the others."""
    return _HASHER.hash("nobody's password")
