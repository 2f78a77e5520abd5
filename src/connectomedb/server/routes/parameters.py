"""Parameters of a request, as it names them."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from connectomedb.errors import AddressError

MAX_PARAMETERS = 1_000
MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Parameters:
    """Query parameters as pairs, in order; names are compared with case, as XNAT does."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """The first value of that name."""
        return next((value for key, value in self.pairs if key == name), default)

    def has(self, name: str) -> bool:
        """Whether the name occurs."""
        return any(key == name for key, _ in self.pairs)

    def is_true(self, name: str) -> bool:
        """Present, and neither `false` nor `0`."""
        return self.has(name) and self.get(name).lower() not in ("false", "0")

    def count(self, name: str, default: int | None) -> int | None:
        """A whole number; `default` where the name does not occur, None for `*`, no limit. Raises AddressError."""
        if not self.has(name):
            return default
        text = self.get(name)
        if text == "*":
            return None
        if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
            raise AddressError(f"Asked for {name}={text!r}. Give a whole number, or '*' for no limit.")
        return int(text)


def parse_parameters(query: str) -> Parameters:
    """Read a query string or a form: `+` is a blank, brackets and colons may come raw. Raises AddressError."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise AddressError(f"The request has too many parameters. Send at most {MAX_PARAMETERS}.") from None
    if any("\x00" in part for pair in pairs for part in pair):
        raise AddressError("The request has a NUL character in its parameters. Leave it out.")
    return Parameters(tuple(pairs))
