"""Reads and writes addresses: `/data/projects/P/subjects/S/experiments/E/.../files/dir/a.txt`.

An address is a walk down the levels of XNAT, one step per level, which may end in the name of a
level to be listed:

    /data/projects/P/subjects/S          steps (projects P) (subjects S)
    /data/projects/P/subjects            steps (projects P), listing subjects
    .../resources/R/files/dir/a.txt      last step (files dir/a.txt)

`LEVELS` says which level may stand below which. Identifiers are labels or accession IDs, decoded.
Source: route table of XNAT's REST service (projects, experiments, scans, resources and files).
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote

from connectomedb.errors import AddressError


class Level(StrEnum):
    """One level of XNAT, spelled as in addresses."""

    PROJECTS = "projects"
    SUBJECTS = "subjects"
    EXPERIMENTS = "experiments"
    SCANS = "scans"
    RECONSTRUCTIONS = "reconstructions"
    ASSESSORS = "assessors"
    RESOURCES = "resources"
    FILES = "files"


_DERIVED = (Level.RECONSTRUCTIONS, Level.ASSESSORS)
_HOLDS_FILES = (Level.RESOURCES, Level.FILES)
_OF_EXPERIMENT = (Level.SCANS, Level.RECONSTRUCTIONS, Level.ASSESSORS)

LEVELS: dict[Level | None, tuple[Level, ...]] = {
    None: (Level.PROJECTS, Level.SUBJECTS, Level.EXPERIMENTS),
    Level.PROJECTS: (Level.SUBJECTS, Level.EXPERIMENTS, *_HOLDS_FILES),
    Level.SUBJECTS: (Level.EXPERIMENTS, *_HOLDS_FILES),
    Level.EXPERIMENTS: (*_OF_EXPERIMENT, *_HOLDS_FILES),
    Level.SCANS: _HOLDS_FILES,
    Level.RECONSTRUCTIONS: _HOLDS_FILES,
    Level.ASSESSORS: _HOLDS_FILES,
    Level.RESOURCES: (Level.FILES,),
    Level.FILES: (),
}
"""Level → levels that may follow it in an address; None is the site."""

SERVICES = ("data", "REST")
"""First path part of the two names of the same service."""


@dataclass(frozen=True, slots=True)
class Step:
    """One level and which one of it: a label, an accession ID, a number, or a path for files."""

    level: Level
    id: str


@dataclass(frozen=True, slots=True)
class Address:
    """Steps from the site down, and the level listed below the last one, if any.

    `is_input`: below an assessor or reconstruction, what it was made from, in place of what came out.
    """

    steps: tuple[Step, ...] = ()
    listing: Level | None = None
    is_input: bool = False

    def child(self, level: Level, id: str) -> "Address":
        """One step further down. Raises AddressError when `level` cannot stand there or `id` names nothing.

        `id` is decoded text: for files a path (`dir/a.txt`; a slash at its end marks a folder), else one
        label or accession ID.
        """
        _check_order(self.steps[-1].level if self.steps else None, level)
        if self.listing is not None:
            raise AddressError(
                f"Asked for a {level} below the listing {format_address(self)}. Step down from one object."
            )
        if not id:
            raise AddressError(f"Asked for one of {level} without naming it. Give a label or an accession ID.")
        _check_id(level, id)
        return Address((*self.steps, Step(level, id)), is_input=self.is_input)

    def list(self, level: Level) -> "Address":
        """The listing of `level` below this object. Raises AddressError when it cannot stand there."""
        _check_order(self.steps[-1].level if self.steps else None, level)
        return Address(self.steps, level, self.is_input)

    def get(self, level: Level) -> str | None:
        """The identifier at `level`, or None."""
        return next((step.id for step in self.steps if step.level is level), None)

    @property
    def last(self) -> Step | None:
        """The lowest step, or None for the site."""
        return self.steps[-1] if self.steps else None


def parse_address(path: str) -> Address:
    """Read a percent-encoded path, with or without host prefix parts `/data`, `/REST` and `archive`.

    `out/` below an assessor or reconstruction says what is so anyway, `in/` the contrary. A slash at the end is
    ignored, except after `files/`, where it marks a folder.
    Raises AddressError when the path is not an address.
    """
    parts = path.split("/")
    if parts and parts[0] == "":
        parts = parts[1:]
    if parts and parts[0] in SERVICES:
        parts = parts[1:]
        if parts and parts[0] == "archive":
            parts = parts[1:]
    steps: list[Step] = []
    level: Level | None = None
    is_input = False
    while parts and parts != [""]:
        level = _level(parts.pop(0), level, path)
        if level is Level.FILES:
            inside = "/".join(unquote(part) for part in parts)
            if not inside:
                return Address(tuple(steps), level, is_input)
            _check_id(level, inside)
            return Address((*steps, Step(level, inside)), is_input=is_input)
        if not parts or parts == [""]:
            return Address(tuple(steps), level, is_input)
        identifier = unquote(parts.pop(0))
        _check_id(level, identifier)
        steps.append(Step(level, identifier))
        if level in _DERIVED and parts[:1] in (["in"], ["out"]) and len(parts) > 1:
            is_input = parts.pop(0) == "in"
    return Address(tuple(steps), is_input=is_input)


def format_address(address: Address, *, raw_file_path: bool = False) -> str:
    """Write an address as `/data/...`, percent-encoded for HTTP.

    `raw_file_path` leaves the path of a file readable, as XNAT's file listings have it: only `%`,
    `?` and `#` are encoded there.
    """
    parts = ["/data"]
    for step in address.steps:
        parts.append(step.level.value)
        parts.append(_encode_step(step, raw_file_path))
        if address.is_input and step.level in _DERIVED:
            parts.append("in")
    if address.listing is not None:
        parts.append(address.listing.value)
    return "/".join(parts)


def parse_file_uri(uri: str) -> str:
    """Path inside its resource of a listed file: what follows the first `/files/` of its URI, decoded.

    Raises AddressError when that is no path or leaves the resource.
    Source: XNAT's file listings, as pyxnat and xnatpy read them.
    """
    path = unquote(uri.partition("/files/")[2])
    if not path:
        raise AddressError(f"A file is listed with the URI {uri!r}, which names no path in a resource.")
    _check_id(Level.FILES, path)
    return path


def _encode_step(step: Step, raw_file_path: bool) -> str:
    if step.level is not Level.FILES:
        return quote(step.id, safe="")
    if raw_file_path:
        return step.id.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return quote(step.id, safe="/")


def _level(word: str, above: Level | None, path: str) -> Level:
    try:
        level = Level(word)
    except ValueError:
        raise AddressError(f"Asked for {path}: {word!r} is no level of XNAT. Levels: {', '.join(Level)}.") from None
    _check_order(above, level)
    return level


def _check_order(above: Level | None, level: Level) -> None:
    if level not in LEVELS[above]:
        where = above.value if above else "the site"
        allowed = ", ".join(LEVELS[above]) or "nothing"
        raise AddressError(f"Asked for {level} below {where}. Below {where} stands {allowed}.")


def _check_id(level: Level, id: str) -> None:
    """Refuse what climbs out of its level or cannot be written as UTF-8: an address becomes a request and a path."""
    inside = id.removesuffix("/").split("/") if level is Level.FILES else [id]
    if any(part in ("", ".", "..") for part in inside) or any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in id):
        kind = "path of a file" if level is Level.FILES else "label or accession ID"
        raise AddressError(f"Asked for one of {level}: {id!r} is no {kind}. Leave out '.', '..' and '//'.")
