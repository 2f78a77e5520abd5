import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import UnexpectedReply
from connectomedb.xnat.document import Item, format_item_json, format_item_xml, parse_item_json, parse_item_xml

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = NAMES | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=3)
ITEMS = st.recursive(
    st.builds(Item, NAMES, FIELDS),
    lambda inner: st.builds(
        Item, NAMES, FIELDS, st.dictionaries(NAMES, st.lists(inner, min_size=1, max_size=2).map(tuple), max_size=2)
    ),
    max_leaves=6,
)


@given(ITEMS)
def test_an_item_comes_back_equal_from_json(item: Item) -> None:
    assert parse_item_json(format_item_json(item)) == item


@given(ITEMS)
def test_any_item_is_well_formed_xml(item: Item) -> None:
    typed = Item("xnat:subjectData", item.fields)
    root = ET.fromstring(format_item_xml(typed, "xnat:Subject", namespaces={"xnat": "urn:xnat"}, shapes={}))
    assert root.tag == "{urn:xnat}Subject"


def test_every_node_says_its_type_and_that_it_is_no_history() -> None:
    child = Item("xnat:demographicData", {"gender": "female"})
    item = Item("xnat:subjectData", {"ID": "S1"}, {"demographics": (child,)})
    node = json.loads(format_item_json(item))["items"][0]
    assert node["meta"] == {"isHistory": False, "xsi:type": "xnat:subjectData"}
    assert node["children"][0]["field"] == "demographics"
    assert node["children"][0]["items"][0]["meta"]["xsi:type"] == "xnat:demographicData"


def test_older_versions_of_an_item_are_passed_over() -> None:
    old = {"meta": {"isHistory": True, "xsi:type": "a:b"}, "data_fields": {"ID": "old"}, "children": []}
    new = {"meta": {"isHistory": False, "xsi:type": "a:b"}, "data_fields": {"ID": "new"}, "children": []}
    assert parse_item_json(json.dumps({"items": [old, new]}).encode()).fields["ID"] == "new"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html/>",
        b"[]",
        b"{}",
        b'{"items":[]}',
        b'{"items":[{}]}',
        b'{"items":[{"meta":[],"data_fields":{},"children":[]}]}',
        b'{"items":[{"meta":{"isHistory":false},"data_fields":{},"children":[]}]}',
        b'{"items":[{"meta":{"xsi:type":"a:b"},"data_fields":{},"children":[{}]}]}',
        b'{"items":' + b"[" * 100_000,
    ],
    ids=range(10),
)
def test_what_is_no_item_is_refused(document: bytes) -> None:
    with pytest.raises(UnexpectedReply, match="no item"):
        parse_item_json(document)


@pytest.mark.parametrize(
    "note",
    [
        "two lines\nand an end\n",
        "as a form sends it\r\n",
        "  set in",
        "bare\rreturn",
        "\ttab",
        "a & b < c ",
        "ü\u2028 ",
    ],
)
def test_texts_come_back_from_xml_to_the_last_character(note: str) -> None:
    document = format_item_xml(
        Item("xnat:mrSessionData", {"note": note}), "xnat:MRSession", namespaces={"xnat": "urn:xnat"}, shapes={}
    )
    assert parse_item_xml(document).fields == {"note": note}


@pytest.mark.parametrize(
    ("inner", "fields"),
    [
        ("<xnat:note>\n  </xnat:note>", {"note": ""}),
        ("<xnat:note/>", {"note": ""}),
        ('<xnat:scanner model="Connectom">\n</xnat:scanner>', {"scanner/model": "Connectom"}),
        ("<xnat:validation>\n <xnat:status>ok</xnat:status>\n</xnat:validation>", {"validation/status": "ok"}),
    ],
    ids=["laid out and empty", "empty", "attribute alone", "element alone"],
)
def test_white_space_between_elements_is_no_text(inner: str, fields: dict[str, str]) -> None:
    document = f'<xnat:MRSession xmlns:xnat="urn:xnat">\n  {inner}\n</xnat:MRSession>'
    assert parse_item_xml(document.encode()).fields == fields
