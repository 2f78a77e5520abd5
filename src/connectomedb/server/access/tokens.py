"""Alias tokens: a made-up name and secret that sign in for a user, for programs that should not know the password.

Only a hash of the secret is kept; it has 380 bits, so a plain hash is enough. Ending a token ends the sessions that
it opened.
"""

import hashlib
import hmac
import re
import secrets
import string
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select

from connectomedb.errors import NotFound
from connectomedb.server.tables.schema import tokens, users

_LETTERS = string.ascii_letters + string.digits
_SECRET_LENGTH = 64
_ALIAS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Token:
    """An alias that signs in as `login` until it expires."""

    alias: str
    login: str
    user_key: int
    issued: datetime
    expires: datetime


def is_alias(name: str) -> bool:
    """Whether a user name has the form of an alias."""
    return _ALIAS.fullmatch(name) is not None


def issue_token(connection: Connection, login: str, time: datetime, lifetime: timedelta) -> tuple[Token, str]:
    """A new token for a user, with its secret, which nobody can read again. Raises NotFound."""
    mine = select(users.c.key, users.c.login).where(users.c.login == login, users.c.is_enabled, users.c.is_verified)
    user = connection.execute(mine).first()
    if user is None:
        raise NotFound(f"Asked for a token of {login}. There is no such user who may sign in.")
    connection.execute(delete(tokens).where(tokens.c.expires < time))
    token = Token(str(uuid.uuid4()), user.login, user.key, time, time + lifetime)
    secret = "".join(secrets.choice(_LETTERS) for _ in range(_SECRET_LENGTH))
    row = {"alias": token.alias, "secret_hash": _hash(secret), "user_key": user.key}
    connection.execute(insert(tokens).values(**row, issued=token.issued, expires=token.expires))
    return token, secret


def list_tokens(connection: Connection, user_key: int, time: datetime) -> list[Token]:
    """A user's living tokens, the oldest first."""
    mine = _living(time).where(tokens.c.user_key == user_key).order_by(tokens.c.issued, tokens.c.alias)
    return [Token(row.alias, row.login, row.user_key, row.issued, row.expires) for row in connection.execute(mine)]


def check_token(connection: Connection, alias: str, secret: str, time: datetime) -> Token | None:
    """The token, if it lives and the secret is right."""
    row = connection.execute(_living(time).where(tokens.c.alias == alias)).first()
    is_right = hmac.compare_digest(row.secret_hash if row else _hash(""), _hash(secret))
    if row is None or not is_right:
        return None
    return Token(row.alias, row.login, row.user_key, row.issued, row.expires)


def find_owner(connection: Connection, alias: str) -> int | None:
    """Key of the user whose token it is."""
    return connection.execute(select(tokens.c.user_key).where(tokens.c.alias == alias)).scalar()


def end_token(connection: Connection, alias: str) -> None:
    """End a token and the sessions that it opened."""
    connection.execute(delete(tokens).where(tokens.c.alias == alias))


def _living(time: datetime) -> Select[*tuple[Any, ...]]:
    columns = (tokens.c.alias, tokens.c.secret_hash, tokens.c.user_key, tokens.c.issued, tokens.c.expires)
    joined = select(*columns, users.c.login).select_from(tokens.join(users))
    return joined.where(tokens.c.expires > time, users.c.is_enabled, users.c.is_verified)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
