import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import UnexpectedReply
from connectomedb.xnat.resultset import ResultTable, parse_csv, parse_json
from connectomedb.xnat.writers import format_csv, format_json

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
CSV_CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=10)


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[str]) -> ResultTable:
    columns = draw(st.lists(cells, min_size=1, max_size=5, unique=True))
    rows = draw(st.lists(st.tuples(*[cells for _ in columns]), max_size=5))
    return ResultTable(tuple(columns), tuple(rows))


@given(tables(CELLS), st.booleans(), st.text(max_size=5).filter(str.isprintable))
def test_a_table_comes_back_equal_from_json(table: ResultTable, is_counted: bool, title: str) -> None:
    full = ResultTable(
        table.columns,
        table.rows,
        title,
        len(table.rows) if is_counted else None,
        {"rootElementName": "a:b"},
        tuple({"key": column, "type": "string"} for column in table.columns),
    )
    assert parse_json(format_json(full)) == full


@given(tables(CSV_CELLS))
def test_a_table_comes_back_equal_from_csv(table: ResultTable) -> None:
    read = parse_csv(format_csv(table))
    assert (read.columns, read.rows, read.total) == (table.columns, table.rows, len(table.rows))


def test_the_specified_search_reply_is_read() -> None:
    document = b"""{"ResultSet":{"Columns":[
      {"key":"project","type":"string","xPATH":"xnat:mrSessionData.PROJECT","element_name":"xnat:mrSessionData",
       "header":"url","id":"PROJECT","linkProps":[{"name":"x"}]},
      {"key":"xnat_col_mrsessiondatalabel","type":"string","header":"url","id":"XNAT_COL_MRSESSIONDATALABEL"},
      {"key":"quarantine_status"}],
     "Result":[{"project":"P1","xnat_col_mrsessiondatalabel":"s1","quarantine_status":"active"}],
     "rootElementName":"xnat:mrSessionData","totalRecords":"1"}}"""
    table = parse_json(document)
    assert table.columns == ("project", "xnat_col_mrsessiondatalabel", "quarantine_status")
    assert table.rows == (("P1", "s1", "active"),)
    assert (table.total, table.meta) == (1, {"rootElementName": "xnat:mrSessionData"})
    assert table.columns_meta is not None
    assert table.columns_meta[0]["id"] == "PROJECT"
    assert "linkProps" not in table.columns_meta[0]


def test_cells_and_the_count_are_quoted_as_xnat_does() -> None:
    document = json.loads(format_json(ResultTable(("ID",), (("1",),), "Projects", 1)))
    assert document == {"ResultSet": {"Result": [{"ID": "1"}], "title": "Projects", "totalRecords": "1"}}
    assert "totalRecords" not in json.loads(format_json(ResultTable(("ID",), ())))["ResultSet"]


def test_null_missing_and_numeric_cells_become_text() -> None:
    table = parse_json(b'{"ResultSet":{"Result":[{"a":null,"b":1},{"c":2.5}]}}')
    assert table.columns == ("a", "b", "c")
    assert table.rows == (("", "1", ""), ("", "", "2.5"))
    assert table.total is None


def test_an_empty_table_still_has_the_columns_it_names() -> None:
    assert parse_json(b'{"ResultSet":{"Columns":[{"key":"a"},{"key":"b"}],"Result":[]}}').columns == ("a", "b")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"ResultSet":[]}',
        b'{"ResultSet":{"Result":null}}',
        b'{"ResultSet":{"Result":["a"]}}',
        b'{"ResultSet":{"Result":[["a"]]}}',
        b'{"ResultSet":{"Result":[],"totalRecords":"many"}}',
        b'{"ResultSet":{"Result":[],"totalRecords":"' + b"9" * 5000 + b'"}}',
        b'{"ResultSet":{"Result":[],"Columns":[{}]}}',
        b"[" * 100_000,
        b"\xff\xfe\xfa",
    ],
    ids=range(14),
)
def test_what_is_no_resultset_is_refused_in_a_short_sentence(document: bytes) -> None:
    with pytest.raises(UnexpectedReply, match="no ResultSet") as caught:
        parse_json(document)
    assert len(str(caught.value)) < 300


def test_csv_quotes_only_what_needs_it_and_keeps_one_line_per_row() -> None:
    table = ResultTable(("ID", "note"), (("1", 'a,"b"'), ("2", "two\r\nlines\rand\nmore")))
    assert format_csv(table) == b'ID,note\n1,"a,""b"""\n2,two lines and more\n'


def test_csv_without_rows_is_a_header_line() -> None:
    assert format_csv(ResultTable(("a", "b"), ())) == b"a,b\n"
    assert parse_csv(b"a,b\n").columns == ("a", "b")


def test_csv_of_other_writers_is_read() -> None:
    assert parse_csv(b"\xef\xbb\xbf" + b'a,b\r\n"x\ny",2\r\n\r\n').rows == (("x\ny", "2"),)


@pytest.mark.parametrize(
    "document", [b"", b"\n", b"a,b\n1\n", b"a\n1,2\n", b"a\n\xff\n", b"a\n" + b"x" * 200_000 + b"\n"], ids=range(6)
)
def test_what_is_no_csv_table_is_refused(document: bytes) -> None:
    with pytest.raises(UnexpectedReply):
        parse_csv(document)
