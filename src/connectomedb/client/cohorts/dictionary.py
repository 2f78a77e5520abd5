"""What the columns of a server mean, as far as they are open to you."""

from dataclasses import dataclass
from urllib.parse import quote

from connectomedb.client.transport import Connection
from connectomedb.errors import ConfigError, NotFound, UnexpectedReply
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition, Tier, ValueType
from connectomedb.hcp.dictionary_file import parse_json

_TYPES = {"integer": ValueType.INTEGER, "float": ValueType.FLOAT, "string": ValueType.TEXT}


def read_dictionary(connection: Connection, data_type: str) -> Dictionary:
    """The measures of a data type: a ConnectomeDB tells all that it knows, another XNAT its list of fields.

    A column that is not open to you is not there. Raises RequestError.
    """
    name = quote(data_type, safe=":")
    try:
        return parse_json(connection.get_bytes(f"/data/dictionary/{name}"), connection.name)
    except NotFound:
        return _from_fields(connection, name)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many subjects have a value of a column, and how many lack it."""

    present: int
    missing: int


def read_coverage(connection: Connection, data_type: str, project: str = "") -> dict[str, Coverage]:
    """Coverage of each column that is open to you, over one project or all; one request.

    Raises RequestError; UnexpectedReply when the server does not count, as other XNATs do not.
    """
    path = f"/data/dictionary/{quote(data_type, safe=':')}"
    document = connection.ask("GET", path, {"counts": "true"} | ({"project": project} if project else {}))
    try:
        return {name: Coverage(facts["Present"], facts["Missing"]) for name, facts in document.items()}  # type: ignore[index]  # checked by the errors below
    except (KeyError, TypeError) as fault:
        raise UnexpectedReply(
            f"Asked {connection.name} what is missing. It does not count: it may be older."
        ) from fault


def _from_fields(connection: Connection, name: str) -> Dictionary:
    """XNAT does not tell category and tier; as the server shows the column to you, it is taken for open."""
    table = connection.get_table(f"/data/search/elements/{name}")
    found: dict[str, FieldDefinition] = {}
    for cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        id, header = row.get("FIELD_ID", ""), row.get("HEADER", "")
        try:
            # The engine shouts names; the header keeps how the column is spelled, where it is the same name.
            spelled = header if header.casefold() == id.casefold() else id
            kind = _TYPES.get(row.get("TYPE", "").lower())
            found.setdefault(id, FieldDefinition(spelled, kind, Tier.OPEN, label=header, description=row["SUMMARY"]))
        except (ConfigError, KeyError):
            continue  # a field of XNAT's own, whose name no measure could have
    return Dictionary(tuple(found.values()))
