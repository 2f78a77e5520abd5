"""How often somebody may guess: after some wrong passwords a door stays closed, twice as long each time.

Doors are logins, whether anybody has them or not, and network addresses. Counts lie in the database, so that all
processes share them, under hashes: people type passwords where logins belong. A right password opens its login's
door again, not the address's, or an attacker with an account of his own could open it at will.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import Connection, delete, insert, select, update

from connectomedb.errors import TooManyRequests
from connectomedb.server.settings import AccessSettings
from connectomedb.server.tables.schema import sign_in_failures

_MAX_DOUBLINGS = 30
_PREFIX_BITS = 64


@dataclass(frozen=True, slots=True)
class Door:
    """A login or an address at which passwords are tried, and how many may be wrong before it closes."""

    name_hash: str
    free_failures: int


def doors(settings: AccessSettings, login: str, address: str) -> tuple[Door, ...]:
    """The doors of one attempt: first that of the login, then that of the address, if it is known."""
    found = [Door(_hash(f"login {login.lower()}"), settings.free_failures)]
    if address:
        found.append(Door(_hash(f"address {_household(address)}"), settings.free_failures_of_address))
    return tuple(found)


def _household(address: str) -> str:
    """Of IPv6 the network of 64 bits, for whoever has one address there has all of them."""
    try:
        found = ip_address(address)
    except ValueError:  # a proxy may name none
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, _PREFIX_BITS), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def check_open(connection: Connection, tried: Sequence[Door], time: datetime) -> None:
    """Raises TooManyRequests while one of the doors is closed."""
    mine = sign_in_failures.c.name_hash.in_([door.name_hash for door in tried])
    untils = connection.execute(select(sign_in_failures.c.closed_until).where(mine)).scalars()
    wait = max((until - time for until in untils), default=timedelta())
    if wait > timedelta():
        seconds = -(-wait // timedelta(seconds=1))
        raise TooManyRequests(
            f"There were too many wrong passwords. Try again in {seconds} s.", status=429, retry_after_s=seconds
        )


def count_failure(connection: Connection, tried: Sequence[Door], settings: AccessSettings, time: datetime) -> None:
    """A wrong password at each of the doors; what is long past is forgotten."""
    forgotten = time - settings.failures_forgotten_after
    connection.execute(delete(sign_in_failures).where(sign_in_failures.c.last < forgotten))
    for door in tried:
        mine = sign_in_failures.c.name_hash == door.name_hash
        before: int | None = connection.execute(select(sign_in_failures.c.failures).where(mine)).scalar()
        failures = (before or 0) + 1
        row = {"failures": failures, "last": time, "closed_until": time + _delay(failures, door, settings)}
        if before is None:
            connection.execute(insert(sign_in_failures).values(name_hash=door.name_hash, **row))
        else:
            connection.execute(update(sign_in_failures).where(mine).values(row))


def forget_failures(connection: Connection, door: Door) -> None:
    """A right password."""
    connection.execute(delete(sign_in_failures).where(sign_in_failures.c.name_hash == door.name_hash))


def _delay(failures: int, door: Door, settings: AccessSettings) -> timedelta:
    over = failures - door.free_failures
    if over < 0:
        return timedelta()
    doubled: int = 2 ** min(over, _MAX_DOUBLINGS)
    return min(settings.first_delay * doubled, settings.longest_delay)


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
