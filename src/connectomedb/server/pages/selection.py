"""What the dashboard and the queue show, as their addresses say it: the address is the view, and can be shared."""

from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from connectomedb.errors import AddressError
from connectomedb.hcp.dictionary import Tier
from connectomedb.server.pages.render import segment
from connectomedb.server.routes.parameters import Parameters

PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """Subjects of a project, and how they are shown.

    Attributes:
        where: the predicate.
        tab: the category whose columns are shown, and are offered for filters.
        columns: names of the columns shown; empty for the first ones of the tab.
        sort: name of a column; empty for the order in which subjects came.
        page: from 1.
        tier: the highest tier that is looked at.
        data_type: whose measures these are; empty for HCP's.
    """

    project: str
    where: str = ""
    tab: str = ""
    columns: tuple[str, ...] = ()
    sort: str = ""
    is_descending: bool = False
    page: int = 1
    tier: Tier = Tier.OPEN
    data_type: str = ""

    @classmethod
    def read(cls, project: str, parameters: Parameters) -> Self:
        """What an address asks for. Raises AddressError."""
        tier = parameters.get("tier") or Tier.OPEN
        if tier not in list(Tier):
            raise AddressError(f"Asked for tier={tier!r}. There are {', '.join(Tier)}.")
        columns = ",".join(value for key, value in parameters.pairs if key == "columns").split(",")
        return cls(
            project,
            where=parameters.get("where").strip(),
            tab=parameters.get("tab"),
            columns=tuple(dict.fromkeys(name.strip() for name in columns if name.strip())),
            sort=parameters.get("sort"),
            is_descending=parameters.is_true("descending"),
            page=max(1, parameters.count("page", 1) or 1),
            tier=Tier(tier),
            data_type=parameters.get("type"),
        )

    @property
    def address(self) -> str:
        """Of the dashboard."""
        return self._at("subjects", self.pairs)

    @property
    def queue(self) -> str:
        """Of the queue, for the same subjects."""
        return self._at("queue", self.chosen)

    @property
    def pairs(self) -> dict[str, str]:
        """All that differs from the dashboard without any parameter."""
        said = {
            **self.chosen,
            "tab": self.tab,
            "columns": ",".join(self.columns),
            "sort": self.sort,
            "descending": "true" if self.is_descending else "",
            "page": str(self.page) if self.page > 1 else "",
        }
        return {name: value for name, value in said.items() if value}

    @property
    def chosen(self) -> dict[str, str]:
        """What chooses the subjects."""
        tier = str(self.tier) if self.tier is not Tier.OPEN else ""
        said = {"type": self.data_type, "where": self.where, "tier": tier}
        return {name: value for name, value in said.items() if value}

    @property
    def asked(self) -> dict[str, str]:
        """The same for the REST API, which has a tier of its own where none is named."""
        return {**self.chosen, "tier": str(self.tier)}

    def but(self, **changes: Any) -> "Selection":
        """The selection with other words; whatever changes, the first page is shown unless another is asked for."""
        return replace(self, **{"page": 1, **changes})

    def _at(self, what: str, pairs: dict[str, str]) -> str:
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f"/projects/{segment(self.project)}/{what}{query}"
