"""Facts of an object → items inside it that are no objects of their own: people, texts, records, protocols.

demographics, PI, investigator      fields below a path, as one item of a type of its own
fields/field, parameters/addParam   texts by name
provenance/processStep, ...         records, in their order
studyProtocol                       of a project: which custom variables are defined
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectomedb.server.types.datatypes import ENTRIES, RECORDS, local_name
from connectomedb.xnat.document import FieldValue, Item

PEOPLE: Mapping[str, str] = {
    "demographics": "xnat:demographicData",
    "PI": "xnat:investigatorData",
    "investigator": "xnat:investigatorData",
}
"""First part of a path → the type of the item that holds the rest."""

_TYPES: Mapping[str, str] = {
    "provenance/processStep": "prov:processStep",
    "investigators/investigator": "xnat:investigatorData",
    "publications/publication": "xnat:publicationResource",
}


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A field that is a row: path, name of the entry if it is one of a list, and its text."""

    path: str
    name: str
    value: str


def inner_items(
    type: str, fields: Mapping[str, FieldValue], facts: Iterable[StoredFact]
) -> tuple[dict[str, FieldValue], dict[str, tuple[Item, ...]]]:
    """The fields that stay with an object of a type, and the items that hold the others."""
    plain: dict[str, FieldValue] = {}
    people: dict[str, dict[str, FieldValue]] = defaultdict(dict)
    for name, value in fields.items():
        head, _, rest = name.partition("/")
        if rest and head in PEOPLE:
            people[head][rest] = value
        else:
            plain[name] = value
    children = {head: (Item(PEOPLE[head], inner),) for head, inner in people.items()}
    return plain, children | _texts(type, facts) | _records(facts)


def _texts(type: str, facts: Iterable[StoredFact]) -> dict[str, tuple[Item, ...]]:
    found: dict[str, tuple[Item, ...]] = {}
    for fact in facts:
        if fact.path in ENTRIES:
            entry = {"name": fact.name, ENTRIES[fact.path]: fact.value}
            item = Item(f"{type}_{local_name(fact.path.replace('/', ':'))}", entry)
            found[fact.path] = (*found.get(fact.path, ()), item)
    return found


def _records(facts: Iterable[StoredFact]) -> dict[str, tuple[Item, ...]]:
    found: dict[str, dict[int, dict[str, FieldValue]]] = defaultdict(lambda: defaultdict(dict))
    for fact in facts:
        list = next((known for known in RECORDS if fact.path.startswith(f"{known}/")), None)
        if list and fact.name.isdecimal():
            found[list][int(fact.name)][fact.path.removeprefix(f"{list}/")] = fact.value
    return {
        list: tuple(Item(_TYPES[list], records[number]) for number in sorted(records))
        for list, records in found.items()
    }
