"""What an operator may decide about sign-in and access: plain values with the defaults of a careful lab."""

from dataclasses import dataclass
from datetime import timedelta

from connectomedb.server.setting import key


@dataclass(frozen=True, slots=True)
class Rules:
    """Section `[access]`: who comes in, for how long, and how often somebody may guess.

    The idle time is that of ConnectomeDB's web pages, the lifetime of tokens XNAT's.
    """

    guests: bool = key(False, "whether nobody's requests run as guest, who sees public and protected projects")
    users_see_users: bool = key(False, "whether all who are signed in may list the site's users; else administrators")
    session_idle_s: int = key(1_800, "a session ends after so many seconds without a request")
    session_lifetime_s: int = key(86_400, "a session ends after so many seconds, used or not")
    most_sessions: int = key(1_000, "sessions of one user at once; the oldest ends when there are more")
    token_lifetime_s: int = key(172_800, "an alias token ends after so many seconds")
    password_min_length: int = key(8, "fewest characters of a password that is chosen from now on")
    free_failures: int = key(5, "wrong passwords for one login before it has to wait")
    free_failures_of_address: int = key(50, "the same for one address, behind which a whole institute may be")
    first_delay_s: int = key(1, "first wait in seconds; twice as long after each further wrong password")
    longest_delay_s: int = key(300, "longest wait in seconds")
    failures_forgotten_after_s: int = key(3_600, "after so many seconds without a wrong password counting begins anew")

    @property
    def session_idle(self) -> timedelta:
        """How long a session lives without a request."""
        return timedelta(seconds=self.session_idle_s)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a session lives at most."""
        return timedelta(seconds=self.session_lifetime_s)

    @property
    def token_lifetime(self) -> timedelta:
        """How long an alias token lives."""
        return timedelta(seconds=self.token_lifetime_s)


LIMITS = {
    "session_idle_s": (10, 31_536_000),
    "session_lifetime_s": (10, 31_536_000),
    "most_sessions": (1, 1_000_000),
    "token_lifetime_s": (10, 315_360_000),
    "password_min_length": (1, 256),
    "free_failures": (1, 1_000_000),
    "free_failures_of_address": (1, 1_000_000),
    "first_delay_s": (1, 3_600),
    "longest_delay_s": (1, 86_400),
    "failures_forgotten_after_s": (1, 31_536_000),
}
"""Least and most of each number."""
