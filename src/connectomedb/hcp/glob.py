"""Globs: patterns of paths inside a subject, as people write them.

T1w/*.nii.gz        in that folder          **/EVs/*.txt        in any folder of that name
T1w/                all below               {LR,RL}, ?, <task>  as in `hcp.pattern`
"""

import re
from functools import cache

from connectomedb.errors import AddressError
from connectomedb.hcp.pattern import WORDS, compile_pattern


def anywhere(glob: str) -> str:
    """The glob, begun in any folder: `EVs/*.txt` as `**/EVs/*.txt`; one that begins with `/` stays at the top."""
    return glob if glob.startswith(("/", "**/")) else f"**/{glob}"


ANY_SUBJECT = "[^/]+"
"""Globs are of all studies, whatever these label their subjects."""

_GLOB = re.compile(rf"(?:[^<>\\\x00-\x1f\x7f]|<(?:{'|'.join(WORDS)})>)+")
_STARS = re.compile(r"\*{3,}|\*\*(?:/\*\*)+")
_CROSSING = re.compile(r"(?:(?<=[/{,])|\A)\*\*/|\*\*")
_MOST_CROSSINGS = 8


@cache
def compile_glob(glob: str) -> re.Pattern[str]:
    """A glob to match `<subject>/<path>` with. Raises AddressError."""
    plain = _STARS.sub("**", glob.lstrip("/"))
    if not plain or not _GLOB.fullmatch(plain) or not _is_balanced(plain) or plain.count("**") > _MOST_CROSSINGS:
        raise AddressError(
            f"Asked for files like {glob!r}, which is no glob. Write it like 'T1w/*.nii.gz' or '**/EVs/*.txt', "
            "with {a,b} for either of two."
        )
    plain = f"{plain}**" if plain.endswith("/") else plain
    # A crossing may cross nothing: `**/x` finds x at the top, too.
    return compile_pattern("", (_CROSSING.sub(r"{,\g<0>}", plain),), ANY_SUBJECT)


def _is_balanced(glob: str) -> bool:
    depth = 0
    for sign in glob:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0
