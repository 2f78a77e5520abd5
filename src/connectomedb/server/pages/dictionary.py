"""The data dictionary: what the columns that are open to the reader mean, by category, with search."""

from dataclasses import dataclass

from starlette.responses import Response

from connectomedb.hcp.dictionary import Dictionary, FieldDefinition
from connectomedb.hcp.dictionary_file import parse_json
from connectomedb.hcp.field_search import FieldIndex
from connectomedb.server.pages.ask import ask, ask_rows
from connectomedb.server.pages.render import render, segment
from connectomedb.server.routes.call import Call, Way

MOST_FOUND = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """A column that a search found, and its data type."""

    data_type: str
    field: FieldDefinition


def get_dictionaries(call: Call) -> Response:
    """The data types that have columns for the caller; with `q` the columns that fit these words."""
    counts: dict[str, int] = {}
    for row in ask_rows(call, "/data/dictionary"):
        counts[row["data_type"]] = counts.get(row["data_type"], 0) + int(row["columns"])
    words = call.parameters.get("q").strip()
    hits = [hit for name in counts for hit in _find(call, name, words)] if words else []
    return render(call, "dictionaries.html", {"counts": counts, "words": words, "hits": hits[:MOST_FOUND]})


def get_dictionary(call: Call) -> Response:
    """One data type; with `q` only the columns that fit, the best first."""
    name, words = call.words["data_type"], call.parameters.get("q").strip()
    dictionary = _load(call, name)
    found = FieldIndex(dictionary).find(words, MOST_FOUND) if words else []
    values = {"data_type": name, "words": words, "found": found, "count": len(dictionary)}
    values["categories"] = {} if words else _by_category(dictionary)
    return render(call, "dictionary.html", values)


def _find(call: Call, data_type: str, words: str) -> list[Hit]:
    return [Hit(data_type, field) for field in FieldIndex(_load(call, data_type)).find(words, MOST_FOUND)]


def _load(call: Call, data_type: str) -> Dictionary:
    reply = ask(call, f"/data/dictionary/{segment(data_type)}")
    return parse_json(bytes(reply.body), data_type)


def _by_category(dictionary: Dictionary) -> dict[str, list[FieldDefinition]]:
    """Category → its columns, both in the order in which they came."""
    found: dict[str, list[FieldDefinition]] = {}
    for field in dictionary:
        found.setdefault(field.category, []).append(field)
    return found


WAYS = (
    Way("GET", "/dictionary", get_dictionaries),
    Way("GET", "/dictionary/{data_type}", get_dictionary),
)
