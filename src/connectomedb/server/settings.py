"""What an operator may decide about a site: plain values with the defaults of a careful lab."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Rules of one site.

    Attributes:
        is_open_to_guests: nobody's requests run as `guest`, who sees public and protected projects; else they get 401.
        lists_users_to_all: everybody signed in may list all users with their mail addresses; else administrators.
        session_idle: a session ends after this time without a request. Default: that of ConnectomeDB's web pages.
        session_lifetime: a session ends after this time, used or not.
        most_sessions: of one user at once; the oldest ends when there are more.
        token_lifetime: of an alias token. Default: XNAT's.
        password_min_length: fewest characters of a password that is chosen from now on.
        free_failures: wrong passwords for one login before its door closes for a while.
        free_failures_of_address: the same for one address, behind which a whole institute may be.
        first_delay, longest_delay: how long the door stays closed; twice as long after each further failure.
        failures_forgotten_after: without a failure for so long, counting begins anew.
    """

    is_open_to_guests: bool = False
    lists_users_to_all: bool = False
    session_idle: timedelta = timedelta(minutes=30)
    session_lifetime: timedelta = timedelta(hours=24)
    most_sessions: int = 1_000
    token_lifetime: timedelta = timedelta(days=2)
    password_min_length: int = 8
    free_failures: int = 5
    free_failures_of_address: int = 50
    first_delay: timedelta = timedelta(seconds=1)
    longest_delay: timedelta = timedelta(minutes=5)
    failures_forgotten_after: timedelta = timedelta(hours=1)
