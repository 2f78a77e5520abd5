import subprocess
import sys
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.client.table import SHOWN_COLUMNS, SHOWN_ROWS, Table
from connectomedb.errors import QueryError

TABLE = Table(
    ("subject_id", "mmse_score", "subject_label", "when"),
    (("ConnectomeDB_S1", "29", "100307", "2013-03-05"), ("ConnectomeDB_S2", "", "100408", "")),
    {"mmse_score": "integer", "when": "date"},
    {"hcp:nontoolboxdata/MMSE_Score": "mmse_score", "hcp:nontoolboxdata/ID": "subject_id"},
)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("subject_label", ["100307", "100408"]),
        ("SUBJECT_LABEL", ["100307", "100408"]),
        ("mmse_score", ["29", ""]),
        ("hcp:nontoolboxdata/MMSE_Score", ["29", ""]),
        ("hcp:nontoolboxdata/mmse_score", ["29", ""]),
        ("hcp:nontoolboxdata/SUBJECT_LABEL", ["100307", "100408"]),
        ("hcp:nontoolboxdata/ID", ["ConnectomeDB_S1", "ConnectomeDB_S2"]),
    ],
)
def test_a_column_is_found_by_its_name_or_by_the_field_asked_for(name: str, column: list[str]) -> None:
    assert TABLE[name] == column
    assert name in TABLE


@pytest.mark.parametrize("kind", [KeyError, QueryError, ValueError])
def test_an_unknown_column_is_told_what_is_near_and_what_there_is(kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        TABLE["mmse_scor"]
    assert str(caught.value) == (
        "Asked the table for 'mmse_scor'. It has no such column. Did you mean 'mmse_score'? "
        "Columns: subject_id, mmse_score, subject_label, when."
    )
    assert "mmse_scor" not in TABLE
    assert 3 not in TABLE


def test_rows_come_as_dicts_and_slices_as_tables() -> None:
    assert len(TABLE) == 2
    assert TABLE[1]["subject_label"] == "100408"
    assert [row["mmse_score"] for row in TABLE] == ["29", ""]
    assert TABLE[:1]["hcp:nontoolboxdata/MMSE_Score"] == ["29"]
    with pytest.raises(IndexError):
        TABLE[2]


def test_pandas_gets_real_types_and_missing_values() -> None:
    frame = TABLE.to_pandas()
    assert [str(frame[name].dtype) for name in TABLE.columns] == ["string", "Int64", "string", "datetime64[us]"]
    assert frame["mmse_score"].tolist()[0] == 29
    assert frame["mmse_score"].isna().tolist() == [False, True]
    assert frame["subject_label"].tolist() == ["100307", "100408"]
    assert TABLE[:0].to_pandas().shape == (0, 4)


@pytest.mark.parametrize(
    ("type_name", "cells", "dtype"),
    [
        ("float", ("1.5", "", "-2e3"), "float64"),
        ("integer", ("12345678901234567",), "Int64"),
        ("integer", ("29.5",), "string"),
        ("float", ("n/a",), "string"),
        ("date", ("03/05/2013",), "string"),
        ("integer", ("9" * 30,), "string"),
        ("timestamp", ("2013-03-05 10:11:12.5",), "datetime64[us]"),
        ("time", ("10:11:12",), "string"),
        ("string", ("007",), "string"),
    ],
)
def test_a_column_whose_values_are_not_its_type_stays_text(type_name: str, cells: tuple[str, ...], dtype: str) -> None:
    frame = Table(("x",), tuple((cell,) for cell in cells), {"x": type_name}).to_pandas()
    assert str(frame["x"].dtype) == dtype
    if dtype == "string":
        assert frame["x"].tolist() == list(cells)


def test_without_pandas_the_error_names_the_extra() -> None:
    script = (
        "import sys; sys.modules['pandas'] = None\n"
        "from connectomedb.client.table import Table\n"
        "try: Table(('a',), ()).to_pandas()\n"
        "except Exception as fault: print(type(fault).__name__, fault)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.startswith("ConfigError")
    assert "connectomedb[pandas]" in said


def test_the_repr_is_a_small_aligned_table() -> None:
    assert repr(TABLE).splitlines() == [
        "subject_id       mmse_score  subject_label  when",
        "ConnectomeDB_S1  29          100307         2013-03-05",
        "ConnectomeDB_S2              100408",
        "[2 rows, 4 columns]",
    ]


def test_a_large_table_shows_its_beginning() -> None:
    large = Table(tuple(f"c{n}" for n in range(50)), tuple(tuple("x" * 300 for _ in range(50)) for _ in range(2000)))
    lines = repr(large).splitlines()
    assert len(lines) == SHOWN_ROWS + 2
    assert lines[-1] == "[2000 rows, 50 columns, the first shown]"
    assert max(map(len, lines)) < 30 * SHOWN_COLUMNS


@given(st.text(max_size=40))
def test_no_cell_can_steer_the_terminal_or_the_page(cell: str) -> None:
    table = Table(("<b>&", "b"), ((cell, cell),))
    assert all(line.isprintable() for line in repr(table).split("\n"))
    html = table._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html
    inner = html.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
    assert inner.count("<") == inner.count(">") == len([p for p in html.split("<")]) - 1


def test_a_table_can_be_written_as_csv() -> None:
    assert Table(("a", "b"), (("1,5", 'say "x"'),)).to_csv() == 'a,b\n"1,5","say ""x"""\n'


def test_an_empty_table_is_drawn_too() -> None:
    assert repr(Table((), ())) == "\n[0 rows, 0 columns]"
    assert not Table(("a",), ())


def test_polars_and_arrow_have_the_same_types_and_missing_values() -> None:
    import polars

    table = Table(("n", "x", "t"), (("1", "0.5", "a"), ("", "", "")), {"n": "integer", "x": "float"})
    when = Table(("w",), (("2013-03-05 10:11:12.5",), ("",)), {"w": "timestamp"}).to_polars()["w"].to_list()
    assert when == [datetime(2013, 3, 5, 10, 11, 12, 500_000), None]
    frame = table.to_polars()
    assert frame.schema == {"n": polars.Int64, "x": polars.Float64, "t": polars.String}
    assert frame.rows() == [(1, 0.5, "a"), (None, None, None)]
    assert polars.DataFrame(table).equals(frame)  # taken over as an Arrow stream
    assert Table(("n",), (("x",),), {"n": "integer"}).to_polars()["n"].to_list() == ["x"]


BANDS = Table(("age", "n"), (("31-35", "1"), ("", "2"), ("22-25", "3")), {}, {}, {"age": ("22-25", "26-30", "31-35")})


def test_categories_stay_categories() -> None:
    import polars

    ages = BANDS.to_pandas()["age"]
    assert str(ages.dtype) == "category"
    assert ages.cat.categories.tolist() == ["22-25", "26-30", "31-35"]
    assert (ages.isna().tolist(), ages[0]) == ([False, True, False], "31-35")
    frame = BANDS[:2].to_polars()
    assert frame.schema["age"] == polars.Enum(["22-25", "26-30", "31-35"])
    assert frame["age"].to_list() == ["31-35", None]
    assert polars.DataFrame(BANDS[:2]).equals(frame)


def test_a_value_that_the_dictionary_lacks_is_not_lost() -> None:
    odd = Table(("age",), (("31-35",), ("36+",)), {}, {}, {"age": ("22-25", "31-35")})
    assert odd.to_pandas()["age"].tolist() == odd.to_polars()["age"].to_list() == ["31-35", "36+"]
