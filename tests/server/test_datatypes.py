"""The tables of data types agree with themselves, with the schema that is served, and with every database."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import httpx2
import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from connectomedb.hcp.dictionary import Tier, ValueType
from connectomedb.server.access.auth import Caller, Rights
from connectomedb.server.query.formulas import FORMULAS
from connectomedb.server.query.frames import FRAMES
from connectomedb.server.query.listing import compile_listing
from connectomedb.server.query.sql import compile_search
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.tables.schema import image_sessions
from connectomedb.server.types.catalogue import FieldColumn, measures_table, measures_type
from connectomedb.server.types.columns import Names
from connectomedb.server.types.datatypes import DataType, Entity, Field, Formula, Kind, Many, Path, Registry, plain_path
from connectomedb.server.types.imaging import BUILTIN
from connectomedb.server.types.xsd import format_schema
from connectomedb.xnat.address import Level
from connectomedb.xnat.query import Comparison, Criterion, Group, Method, Query, SearchField

XS = "{http://www.w3.org/2001/XMLSchema}"
XDAT = "{http://nrg.wustl.edu/xdat}"
COLUMNS = [
    FieldColumn("MMSE_Score", "m1", ValueType.INTEGER, Tier.OPEN),
    FieldColumn("THC", "m2", ValueType.FLOAT, Tier.SENSITIVE),
    FieldColumn("select", "m3", ValueType.TEXT, Tier.OPEN),
]
MEASURES = measures_type("hcp:nontoolboxdata", "Nontoolbox", "Nontoolbox", "measures_1", COLUMNS)
REGISTRY = Registry([*BUILTIN, MEASURES])
DETAILS = {"image_sessions": image_sessions, "measures_1": measures_table("measures_1", COLUMNS)}
_SEARCHED = ("project", "subject", "petSession", "mrScan", "reconstructedImage")
CONCRETE = [MEASURES, *(REGISTRY.get(f"xnat:{name}Data") for name in _SEARCHED)]


@pytest.mark.parametrize("data_type", list(REGISTRY), ids=lambda data_type: data_type.name)
def test_a_type_names_only_what_there_is(data_type: DataType) -> None:
    ids = [display.id for display in data_type.displays]
    assert len(set(ids)) == len(ids)
    assert set(data_type.listing) <= set(ids)
    for display in data_type.displays:
        assert display.path is None or REGISTRY.path(data_type, display.path) is not None
    fields: list[Field] = [*data_type.paths, *data_type.displays]
    for source in (field.source for field in fields):
        assert not isinstance(source, Formula) or source.name in FORMULAS
    for full in REGISTRY.aliases(data_type).values():
        assert REGISTRY.split_path(full) is not None, full


def test_display_fields_are_upper_case() -> None:
    assert all(display.id == display.id.upper() for data_type in REGISTRY for display in data_type.displays)


@pytest.fixture(scope="module")
def schema() -> ET.Element:
    return ET.fromstring(format_schema("xnat", REGISTRY, RIGHTS[0]))


def _fields(schema: ET.Element, name: str) -> set[str]:
    """Elements and attributes of a type of the schema, those of its base included."""
    node = next(node for node in schema.iter(f"{XS}complexType") if node.get("name") == name)
    own = {str(part.get("name")) for part in node.iter() if part.tag in (f"{XS}element", f"{XS}attribute")}
    base = next((part.get("base", "") for part in node.iter(f"{XS}extension")), "")
    return own | (_fields(schema, base.removeprefix("xnat:")) if base.startswith("xnat:") else set())


@pytest.mark.parametrize("data_type", BUILTIN, ids=lambda data_type: data_type.name)
def test_every_field_of_a_type_stands_in_its_schema(schema: ET.Element, data_type: DataType) -> None:
    known = _fields(schema, data_type.name.removeprefix("xnat:"))
    people = {"demographics": "demographicData", **dict.fromkeys(("PI", "investigator"), "investigatorData")}
    for path in data_type.paths:
        head, _, tail = plain_path(path.path).partition("/")
        if isinstance(path.source, Many) or head == "meta":
            continue
        inner = next((of for name, of in people.items() if name.lower() == head), None)
        names = _fields(schema, inner) if inner else known
        assert (tail.rpartition("/")[2] or head) in {name.lower() for name in names}, path.path


def test_every_root_element_is_declared(schema: ET.Element) -> None:
    declared = {node.get("name"): node.get("type") for node in schema.findall(f"{XS}element")}
    assert declared == {data_type.element: data_type.name for data_type in BUILTIN if not data_type.is_abstract}


def test_objects_are_found_by_their_label(schema: ET.Element) -> None:
    for name in ("subjectData", "experimentData", "abstractResource"):
        node = next(node for node in schema.iter(f"{XS}complexType") if node.get("name") == name)
        shown = next(iter(node.iter(f"{XDAT}element")))
        assert shown.get("displayIdentifiers") == "label"


def test_schemas_are_served_under_all_their_names(reader: httpx2.Client) -> None:
    names = reader.get("/xapi/schemas?format=json").json()
    assert names == ["xnat", "xdat", "hcp", "lab"]
    for name in names:
        reply = reader.get(f"/xapi/schemas/{name}")
        assert reply.headers["content-type"].startswith("application/xml")
        assert ET.fromstring(reply.content).get("targetNamespace") == f"http://nrg.wustl.edu/{name}"
        assert reader.get(f"/schemas/{name}/{name}.xsd").content == reply.content
    assert reader.get("/xapi/schemas/none").status_code == 404
    assert reader.get("/xapi/schemas/..%2f..%2fschema").status_code == 404
    for address in ("", "/names/all"):
        assert "hcp:nontoolboxdata" in reader.get(f"/xapi/schemas/datatypes{address}").json()
    paths = reader.get("/xapi/schemas/datatypes/elements/hcp:nontoolboxdata").json()
    assert {"hcp:nontoolboxdata/MMSE_Score", "hcp:nontoolboxdata/subject_ID"} <= set(paths)
    assert "hcp:nontoolboxdata/THC" not in paths
    assert reader.get("/xapi/schemas/datatypes/elements/all").json()["hcp:nontoolboxdata"] == paths
    assert reader.get("/xapi/schemas/datatypes/elements/no:type").status_code == 404


def test_every_prefix_and_type_of_a_schema_is_known_in_it(reader: httpx2.Client) -> None:
    """One reference to something unknown, and xnatpy has none of the file's classes."""
    schemas = {name: reader.get(f"/xapi/schemas/{name}") for name in reader.get("/xapi/schemas").json()}
    types = {
        f"{name}:{node.get('name')}"
        for name, reply in schemas.items()
        for node in ET.fromstring(reply.content).findall(f"{XS}complexType")
    }
    for reply in schemas.values():
        for node in ET.fromstring(reply.content).iter():
            for reference in (node.get("type"), node.get("base")):
                assert reference is None or reference.startswith("xs:") or reference in types
                prefix = (reference or "xs:").partition(":")[0]
                assert f"xmlns:{prefix}=" in reply.text


SPECIAL = DataType(
    name="lab:tracerData",
    entity=Entity.EXPERIMENT,
    parent="xnat:subjectAssessorData",
    element="Tracer",
    paths=(
        Path("tracer/dose", Formula("nothing"), Kind.FLOAT),
        Path("scanner", Formula("nothing")),
        Path("scanner/model", Formula("nothing")),
        Path("parameters/voxelRes/x", Formula("nothing"), Kind.FLOAT),
        Path("parameters/addParam/name", Formula("nothing")),
        Path("3T-count", Formula("nothing")),
        Path("hidden", Formula("nothing"), tier=Tier.RESTRICTED),
    ),
)


def test_a_type_that_somebody_adds_has_its_schema_at_once() -> None:
    registry = Registry([*BUILTIN, SPECIAL])
    text = format_schema("lab", registry, RIGHTS[1]).decode()
    root = ET.fromstring(text)
    assert [node.get("type") for node in root.findall(f"{XS}element")] == ["lab:tracerData"]
    assert "hidden" not in text and "3T-count" not in text
    assert "hidden" in format_schema("lab", registry, RIGHTS[2]).decode()
    scanner = next(node for node in root.iter(f"{XS}element") if node.get("name") == "scanner")
    assert [part.get("name") for part in scanner.iter(f"{XS}attribute")] == ["model"]
    dose = next(node for node in root.iter(f"{XS}element") if node.get("name") == "dose")
    assert dose.get("type") == "xs:float"
    parameter = next(node for node in root.iter(f"{XS}element") if node.get("name") == "addParam")
    assert parameter.get("maxOccurs") == "unbounded"
    assert registry.get("lab:tracerData").name in format_schema("lab", registry, RIGHTS[0]).decode()


DIALECTS: list[Dialect] = [SQLiteDialect(), PGDialect()]  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
RIGHTS = [
    Rights(Caller(1, "admin", is_admin=True)),
    Rights(Caller(2, "reader")),
    Rights(Caller(3, "granted"), {7: Tier.SENSITIVE}),
]


@pytest.mark.parametrize("rights", RIGHTS, ids=lambda rights: rights.caller.login)
@pytest.mark.parametrize("root", CONCRETE, ids=lambda data_type: data_type.name)
def test_every_search_compiles_for_every_database(root: DataType, rights: Rights) -> None:
    names = Names(REGISTRY, rights)
    columns = [SearchField(other.name, display.id) for other in CONCRETE for display in names.fields_of(other)]
    criteria = tuple(
        Criterion(f"{column.element}/{column.field_id}", comparison, "1,2")
        for column in columns
        for comparison in (Comparison.IS_NULL, Comparison.LIKE)
    )
    where = Group(Method.OR, criteria[:400])
    search = compile_search(Query(root.name, tuple(columns), where, columns[-1]), names, DETAILS)
    for dialect in DIALECTS:
        text = str(search.statement.compile(dialect=dialect))
        assert text.startswith("SELECT")
        assert "'1,2'" not in text


@pytest.mark.parametrize("level", FRAMES)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_every_list_compiles_for_every_database(level: Level, dialect: Dialect) -> None:
    names = Names(REGISTRY, RIGHTS[1])
    aliases = REGISTRY.aliases(REGISTRY.get(FRAMES[level].root))
    pairs = (
        ("columns", ",".join([*aliases, *aliases.values()])),
        ("label", "a*,b"),
        ("limit", "5"),
        ("sortBy", "label"),
    )
    listing = compile_listing(level, Parameters(pairs), names, DETAILS, {})
    assert str(listing.statement.compile(dialect=dialect))
    assert {column.header for column in listing.columns} == set(aliases)
