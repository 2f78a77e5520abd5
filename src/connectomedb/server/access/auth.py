"""Who asks, and what may they: pure decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from connectomedb.hcp.dictionary import Tier


class Role(StrEnum):
    """What a user is in a project. Owners hold all rights, members read and edit, collaborators read."""

    OWNER = "owner"
    MEMBER = "member"
    COLLABORATOR = "collaborator"

    @property
    def group(self) -> str:
        """Name of the group for people: `Owners`."""
        return f"{self.value.capitalize()}s"


class Accessibility(StrEnum):
    """Who may see a project beside its people.

    Private: nobody. Protected: everybody sees that it exists, not what it holds. Public: everybody reads.
    """

    PRIVATE = "private"
    PROTECTED = "protected"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user who is signed in, or the guest. `key` numbers the user's row."""

    key: int
    login: str
    is_admin: bool = False

    @property
    def is_guest(self) -> bool:
        """Whether nobody is signed in: guests read what is open to all, and change nothing."""
        return self.key == GUEST.key


GUEST = Caller(0, "guest")
"""Nobody, on a site that is open to guests. No row has the key 0, so a guest is never a member of anything."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may see of columns with a tier.

    Attributes:
        grants: key of a project → the highest tier granted there.
        ceiling: the highest tier that is looked at, whatever was granted.
        read: names of the columns above the open tier that were put into statements, for the audit log.
    """

    caller: Caller
    grants: Mapping[int, Tier] = field(default_factory=dict)
    ceiling: Tier = Tier.SENSITIVE
    read: set[str] = field(default_factory=set, compare=False)

    def may_use(self, tier: Tier) -> bool:
        """Whether a column of that tier exists for the caller: anywhere at all."""
        if tier is Tier.OPEN:
            return True
        return self.ceiling.includes(tier) and (self.caller.is_admin or bool(self.projects_with(tier)))

    def projects_with(self, tier: Tier) -> list[int]:
        """Keys of the projects whose values of that tier the caller may see; administrators need no grant."""
        return [key for key, granted in self.grants.items() if granted.includes(tier)]

    @property
    def highest(self) -> Tier:
        """The highest tier of which a column exists for the caller."""
        return next(tier for tier in reversed(Tier) if self.may_use(tier))

    def narrowed(self, ceiling: Tier = Tier.SENSITIVE, project: int | None = None) -> "Rights":
        """These rights up to a tier, and of the project of that key alone; what is read is noted with these."""
        grants = self.grants if project is None else {key: self.grants[key] for key in self.grants if key == project}
        return replace(self, grants=grants, ceiling=ceiling)
