import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import QueryError
from connectomedb.xnat.bundle import MAX_DEPTH, MAX_FIELDS, format_bundle, parse_bundle
from connectomedb.xnat.query import PLAIN, Comparison, Criterion, Group, Method, Query, SearchField

READABLE = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXTS = st.text(READABLE, max_size=12).map(str.strip)
NAMES = TEXTS.filter(bool)
FIELDS = st.builds(SearchField, NAMES, NAMES, st.none() | TEXTS, NAMES, TEXTS)
CRITERIA = st.builds(Criterion, NAMES, st.sampled_from(sorted(PLAIN)), TEXTS)
GROUPS = st.recursive(
    st.builds(Group, st.sampled_from(Method), st.lists(CRITERIA, max_size=3).map(tuple)),
    lambda inner: st.builds(Group, st.sampled_from(Method), st.lists(CRITERIA | inner, max_size=3).map(tuple)),
    max_leaves=8,
)
SORTS = st.builds(SearchField, NAMES, NAMES)
QUERIES = st.builds(Query, NAMES, st.lists(FIELDS, max_size=4).map(tuple), st.none() | GROUPS, st.none() | SORTS)


@given(QUERIES)
def test_a_query_comes_back_equal(query: Query) -> None:
    assert parse_bundle(format_bundle(query)) == query


def document(inside: str, root: str = "bundle") -> bytes:
    return (f'<{root} xmlns="http://nrg.wustl.edu/security" xmlns:x="urn:other">{inside}</{root}>').encode()


ROOT = "<root_element_name>xnat:subjectData</root_element_name>"


@pytest.mark.parametrize("root", ["bundle", "Search", "stored_search", "anything"])
def test_any_root_name_is_read(root: str) -> None:
    assert parse_bundle(document(ROOT, root)) == Query("xnat:subjectData")


def test_comments_unknown_children_and_namespaces_are_tolerated() -> None:
    inside = (
        f"<!-- hidden --><x:note>n</x:note>{ROOT}<?odd thing?><allowed_user><login>bob</login>"
        '</allowed_user><search_where method="AND"/>'
    )
    assert parse_bundle(document(inside)) == Query("xnat:subjectData", where=Group())


def test_fields_come_in_the_order_of_their_sequence() -> None:
    fields = "".join(
        f"<search_field><element_name>t:t</element_name><field_ID>{name}</field_ID>"
        f"<sequence>{sequence}</sequence><type>None</type></search_field>"
        for name, sequence in [("C", "2"), ("A", "0"), ("B", "1")]
    )
    query = parse_bundle(document(ROOT + fields))
    assert [field.field_id for field in query.fields] == ["A", "B", "C"]


@pytest.mark.parametrize("sequence", ["9" * 10_000, "-1", "", "x", "1.5", "²"])
def test_a_sequence_that_is_no_number_keeps_the_place(sequence: str) -> None:
    field = f"<search_field><field_ID>A</field_ID><sequence>{sequence}</sequence></search_field>"
    assert len(parse_bundle(document(ROOT + field)).fields) == 1


@pytest.mark.parametrize("comparison", sorted(set(Comparison) - PLAIN))
def test_a_comparison_that_xnat_has_not_is_refused(comparison: Comparison) -> None:
    criterion = (
        "<search_where><criteria><schema_field>a:b/C</schema_field>"
        f"<comparison_type>{comparison}</comparison_type><value>x</value></criteria></search_where>"
    )
    with pytest.raises(QueryError, match="no comparison of XNAT"):
        parse_bundle(document(ROOT + criterion))


def test_a_comparison_of_ours_travels_in_xnats_words_or_is_refused() -> None:
    sent = format_bundle(Query("a:b", where=Group(members=(Criterion("a:b/C", Comparison.DIFFERS, "x"),))))
    words = (Criterion("a:b/C", Comparison.NOT_EQUAL, "x"), Criterion("a:b/C", Comparison.IS_NOT_NULL))
    assert parse_bundle(sent).where == Group(members=(Group(members=words),))
    with pytest.raises(QueryError, match="no such comparison"):
        format_bundle(Query("a:b", where=Group(members=(Criterion("a:b/C", Comparison.NOT_LIKE, "x"),))))


def test_several_where_clauses_are_joined_by_and() -> None:
    one = '<search_where method="OR"><criteria><schema_field>a:b/C</schema_field></criteria></search_where>'
    where = parse_bundle(document(ROOT + one + one)).where
    inner = Group(Method.OR, (Criterion("a:b/C", Comparison.EQUAL, ""),))
    assert where == Group(Method.AND, (inner, inner))


def test_operators_with_blanks_and_values_on_their_own_line_are_read() -> None:
    criterion = (
        "<search_where><criteria><schema_field> a:b/C </schema_field>"
        "<comparison_type> like </comparison_type><value>\n   S%\n </value></criteria></search_where>"
    )
    where = parse_bundle(document(ROOT + criterion)).where
    assert where == Group(Method.AND, (Criterion("a:b/C", Comparison.LIKE, "S%"),))


LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><bundle><root_element_name>&b;</root_element_name></bundle>'
)
STEALS = (
    b'<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]><bundle><root_element_name>&f;</root_element_name></bundle>'
)


@pytest.mark.parametrize("attack", [LAUGHS, STEALS, b"<!DOCTYPE bundle SYSTEM 'http://example.org/x.dtd'><bundle/>"])
def test_document_types_are_refused_before_any_entity_is_defined(attack: bytes) -> None:
    with pytest.raises(QueryError, match="DOCTYPE"):
        parse_bundle(attack)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"not xml",
        b"<bundle>",
        b"<bundle/>",
        b"<bundle><root_element_name/></bundle>",
        b"<bundle/><bundle/>",
        b"<bundle>&undefined;</bundle>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="shift_jis"?><bundle/>',
        b'<?xml version="1.0" encoding="no-such"?><bundle/>',
        b'<?xml version="1.0" encoding="zlib"?><bundle/>',
        b"<a:bundle/>",
        b"<bundle>\x00</bundle>",
    ],
)
def test_what_is_no_search_document_is_refused(broken: bytes) -> None:
    with pytest.raises(QueryError):
        parse_bundle(broken)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_query_or_refused(document: bytes) -> None:
    with pytest.raises(QueryError):
        parse_bundle(document)


def nested(depth: int) -> bytes:
    opened, closed = "<child_set>" * depth, "</child_set>" * depth
    return document(f"{ROOT}<search_where>{opened}{closed}</search_where>")


def test_groups_nest_to_the_limit_and_no_deeper() -> None:
    parse_bundle(nested(MAX_DEPTH))
    with pytest.raises(QueryError, match="deeper than"):
        parse_bundle(nested(MAX_DEPTH + 1))
    with pytest.raises(QueryError, match="deeper than"):
        parse_bundle(nested(20_000))


def test_columns_without_end_are_refused() -> None:
    field = "<search_field><element_name>e</element_name><field_ID>f</field_ID></search_field>"
    assert len(parse_bundle(document(ROOT + field * MAX_FIELDS)).fields) == MAX_FIELDS
    with pytest.raises(QueryError, match="5001 columns"):
        parse_bundle(document(ROOT + field * (MAX_FIELDS + 1)))


def test_too_deep_groups_are_not_written_either() -> None:
    group = Group()
    for _ in range(MAX_DEPTH + 1):
        group = Group(Method.AND, (group,))
    with pytest.raises(QueryError, match="deeper than"):
        format_bundle(Query("a:b", where=group))


@pytest.mark.parametrize("text", ["\x00", "a\x0bb", "\ud800", "\ufffe"])
def test_characters_that_xml_cannot_carry_are_refused_before_sending(text: str) -> None:
    where = Group(Method.AND, (Criterion("a:b/C", Comparison.EQUAL, text),))
    with pytest.raises(QueryError, match="XML cannot carry"):
        format_bundle(Query("a:b", where=where))


@pytest.mark.parametrize("value", ["</xdat:value>", "<!--", "a & b", "]]>", "\"'", "Ünïcode ✓", "1' OR '1'='1"])
def test_values_cannot_break_out_of_the_document(value: str) -> None:
    query = Query("a:b", where=Group(Method.AND, (Criterion("a:b/C", Comparison.EQUAL, value),)))
    assert parse_bundle(format_bundle(query)) == query
    assert b"xdat:value>" in format_bundle(query)


def test_an_unknown_joining_word_is_refused() -> None:
    with pytest.raises(QueryError, match="AND or OR"):
        parse_bundle(document(f'{ROOT}<search_where method="NAND"/>'))


def test_a_criterion_without_field_is_refused() -> None:
    with pytest.raises(QueryError, match="schema_field"):
        parse_bundle(document(f"{ROOT}<search_where><criteria/></search_where>"))
