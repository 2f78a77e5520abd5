"""Paths with wildcards → handles, and data types → searches: `db.select(...)`.

/projects/*/subjects/1003*          plural or singular words, `*` and `?` in names
/project/HCP_Q1/subject/100307      without wildcards: one handle, nothing sent
/project/HCP_Q1/subjects            ends in a level: all of it
hcp:nontoolboxdata                  a data type: a search
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

from connectomedb.client.handle import Handle, Listing, Site
from connectomedb.client.handles import KINDS, Project
from connectomedb.client.search import FieldTypes, Search
from connectomedb.errors import AddressError
from connectomedb.xnat.address import LEVELS, Address, Level

Selection: TypeAlias = Handle | Listing[Handle]

_WORDS = {word: level for level in Level for word in (level.value, level.value.removesuffix("s"))}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One level of a path: the name given there, `*` where none is."""

    level: Level
    name: str

    @property
    def is_pattern(self) -> bool:
        """Whether the name stands for several."""
        return any(c in self.name for c in "*?")


class Select:
    """What `Interface.select` is: call it with a path, or with a data type and columns."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._types = FieldTypes(site.connection)

    @overload
    def __call__(self, what: str, columns: Sequence[str]) -> Search: ...
    @overload
    def __call__(self, what: str) -> Selection | Search: ...
    def __call__(self, what: str, columns: Sequence[str] | None = None) -> Selection | Search:
        """Handles of a path, or a search of a data type; nothing is sent yet.

            select("/projects/*/subjects/1003*")                      a Listing, sent when iterated
            select("/project/HCP_Q1/subject/100307")                  a Subject
            select("xnat:subjectData", ["xnat:subjectData/SUBJECT_ID"])   a Search: .where([...]) or .all()

        Args:
            what: path of levels from the site down (projects, subjects, experiments, scans, reconstructions,
                assessors, resources, files; singular words do too), or a data type.
            columns: fields of the search, like `hcp:nontoolboxdata/MMSE_Score`; none: the type's own listing.
                Asking for SUBJECT_ID brings SUBJECT_LABEL too (see Search).
        Raises: AddressError, QueryError for what is not well formed.
        """
        if not what.startswith("/") and columns is None and ":" not in what:
            raise AddressError(f"Asked to select {what!r}. Begin a path with '/', or name a data type, like a:b.")
        if what.startswith("/"):
            if columns is not None:
                raise AddressError(f"Asked to select columns of the path {what!r}. Columns go with a data type.")
            return self._path(parse_path(what))
        return Search(self.site.connection, self._types, what, columns or ())

    def project(self, id: str) -> Project:
        """A project by ID or alias."""
        return Project(self.site, Address().child(Level.PROJECTS, id))

    def projects(self, pattern: str = "*") -> Listing[Project]:
        """The projects whose ID is like `pattern`; one request."""
        return Listing(self.site, Project, lambda: [Address()], pattern)

    def _path(self, wanted: Sequence[Wanted]) -> Selection:
        plain = next((number for number, step in enumerate(wanted) if step.is_pattern), len(wanted))
        address = Address()
        for step in wanted[:plain]:
            address = address.child(step.level, step.name)
        if plain == len(wanted):
            return KINDS[wanted[-1].level](self.site, address)
        listing = self._listing(wanted[plain], lambda: [address])
        for step in wanted[plain + 1 :]:
            listing = self._listing(step, _addresses(listing))
        return listing

    def _listing(self, step: Wanted, above: Callable[[], Iterable[Address]]) -> Listing[Handle]:
        return Listing(self.site, KINDS[step.level], above, step.name)


def parse_path(text: str) -> list[Wanted]:
    """Read a path with wildcards, like `/projects/*/subjects`. Raises AddressError."""
    parts = text.removeprefix("/").rstrip("/").split("/")
    wanted: list[Wanted] = []
    above: Level | None = None
    while parts:
        word = parts.pop(0)
        level = _WORDS.get(word)
        if level is None:
            words = ", ".join(Level)
            raise AddressError(f"Asked to select {text!r}: {word!r} is no level. Levels: {words}.")
        if level not in LEVELS[above]:
            under = above.value if above else "the site"
            raise AddressError(
                f"Asked to select {text!r}: below {under} stands {', '.join(LEVELS[above]) or 'nothing'}."
            )
        if level is Level.FILES:
            name, parts = "/".join(parts) or "*", []
        else:
            name = parts.pop(0) if parts and parts[0] not in _WORDS else "*"
        if not name:
            raise AddressError(f"Asked to select {text!r}: '//' names nothing. Write '*' for all of a level.")
        wanted.append(Wanted(level, name))
        above = level
    return wanted


def _addresses(listing: Listing[Handle]) -> Callable[[], Iterable[Address]]:
    return lambda: (handle.address for handle in listing)
