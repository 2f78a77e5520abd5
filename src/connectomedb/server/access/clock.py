"""The one clock of the database's times."""

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1)


def now() -> datetime:
    """The present time as the database has it: UTC without zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def epoch_ms(time: datetime) -> int:
    """A time as ms since 1970, as XNAT's JSON has it."""
    return round((time - _EPOCH).total_seconds() * 1000)
