"""Globs: patterns of paths inside a subject, as people write them.

T1w/*.nii.gz        in that folder          **/EVs/*.txt        in any folder of that name
T1w/                all below               {LR,RL}, ?, <task>  as in `hcp.pattern`
"""

import re
from functools import lru_cache

from connectomedb.errors import AddressError
from connectomedb.hcp.pattern import WORDS, compile_pattern
from connectomedb.hcp.steady import count_stretches, steady_pattern


def anywhere(glob: str) -> str:
    """The glob, begun in any folder: `EVs/*.txt` as `**/EVs/*.txt`; one that begins with `/` stays at the top."""
    return glob if glob.startswith(("/", "**/")) else f"**/{glob}"


ANY_SUBJECT = "[^/]+"
"""Globs are of all studies, whatever these label their subjects."""

_GLOB = re.compile(rf"(?:[^<>\\\x00-\x1f\x7f]|<(?:{'|'.join(WORDS)})>)+")
_STARS = re.compile(r"\*{3,}|\*\*(?:/\*\*)+")
_CROSSING = re.compile(r"(?:(?<=[/{,])|\A)\*\*/|\*\*")
_MOST_CROSSINGS = 8


_MOST_STRETCHES = 2
"""More than so many that stretch let a backtracking expression try very long on a path that does not fit."""

_MOST_UNSTEADY = 4
"""The same of globs with so many alternatives that they are not written out."""


@lru_cache(maxsize=1 << 10)
def compile_glob(glob: str) -> re.Pattern[str]:
    """A glob to match `<subject>/<path>` with, in time that no glob makes long. Raises AddressError."""
    plain = _plain(glob)
    stretches = count_stretches(plain)
    if stretches <= _MOST_STRETCHES:
        return _compile(plain)
    steady = steady_pattern(plain)
    if steady is not None:
        return re.compile(f"(?P<subject>{ANY_SUBJECT})/(?P<name>{steady})", re.DOTALL)
    if stretches > _MOST_UNSTEADY:
        raise AddressError(
            f"Asked for files like {glob!r}, with {stretches} of '*', '**' and <any> beside many alternatives. "
            "Take several globs, or fewer stars."
        )
    return _compile(plain)


@lru_cache(maxsize=1 << 10)
def compile_for_automata(glob: str) -> re.Pattern[str]:
    """The same for engines that do not backtrack, in nothing but what all engines read. Raises AddressError."""
    compile_glob(glob)
    return _compile(_plain(glob))


def _plain(glob: str) -> str:
    """The glob in one form of several that mean the same. Raises AddressError when it is none."""
    plain = _STARS.sub("**", glob.lstrip("/"))
    if not plain or not _GLOB.fullmatch(plain) or not _is_balanced(plain) or plain.count("**") > _MOST_CROSSINGS:
        raise AddressError(
            f"Asked for files like {glob!r}, which is no glob. Write it like 'T1w/*.nii.gz' or '**/EVs/*.txt', "
            "with {a,b} for either of two."
        )
    return f"{plain}**" if plain.endswith("/") else plain


def _compile(plain: str) -> re.Pattern[str]:
    # A crossing may cross nothing: `**/x` finds x at the top, too.
    return compile_pattern("", (_CROSSING.sub(r"{,\g<0>}", plain),), ANY_SUBJECT)


def _is_balanced(glob: str) -> bool:
    depth = 0
    for sign in glob:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0
