"""A table of text: what a search found."""

import difflib
import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias, overload

from connectomedb.errors import ConfigError, QueryError
from connectomedb.xnat.resultset import ResultTable
from connectomedb.xnat.writers import format_csv

if TYPE_CHECKING:
    import pandas
    import polars

Row: TypeAlias = dict[str, str]

SHOWN_ROWS = 10
SHOWN_COLUMNS = 8
SHOWN_WIDTH = 24
"""How much of a table its repr shows: rows, columns, characters of a cell."""


class UnknownColumn(QueryError, KeyError):
    """A table has no such column."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows of text under named columns; an empty cell is a missing value.

        table["mmse_score"]                        list of text, one per row; names in any case
        table["hcp:nontoolboxdata/MMSE_Score"]     the same, by the name that was asked for
        table[0], table[:10]                       a row as a dict, a smaller table
        for row in table: row["subject_label"]     rows as dicts
        table.to_pandas()                          typed columns

    `types` holds the type of columns that are not text (`integer`, `float`, `date`, `timestamp`, ...), `asked`
    the column that each field asked for became, `categories` the values that a column of text may have, in the
    dictionary's order.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    types: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    @overload
    def __getitem__(self, key: str) -> list[str]: ...
    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> "Table": ...
    def __getitem__(self, key: str | int | slice) -> "list[str] | Row | Table":
        if isinstance(key, slice):
            return replace(self, rows=self.rows[key])
        if isinstance(key, int):
            return dict(zip(self.columns, self.rows[key], strict=True))
        place = self._find(key)
        if place is None:
            near = difflib.get_close_matches(key.rpartition("/")[2].lower(), self.columns, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UnknownColumn(
                f"Asked the table for {key!r}. It has no such column.{hint} Columns: {', '.join(self.columns)}."
            )
        return [row[place] for row in self.rows]

    def to_csv(self) -> str:
        """The table as CSV with a header line; newlines in cells become blanks."""
        return format_csv(ResultTable(self.columns, self.rows)).decode()

    def to_pandas(self) -> "pandas.DataFrame":
        """A DataFrame: integers as Int64, floats as float64, dates as datetime64, all else as string; missing is NA.

        A column with `categories` is categorical, in their order. A column whose values are not what its type says
        stays text. Needs the extra `connectomedb[pandas]`; raises ConfigError without it.
        """
        try:
            import pandas
        except ImportError as fault:
            raise ConfigError(
                "A table becomes a DataFrame by pandas, which is not installed. Install connectomedb[pandas]."
            ) from fault
        series = (
            _series(self[name], self.types.get(name, "string"), self.categories.get(name)) for name in self.columns
        )
        return pandas.DataFrame(dict(zip(self.columns, series, strict=True)))

    def to_polars(self) -> "polars.DataFrame":
        """A polars DataFrame: integers, floats and dates typed, text as strings; missing is null.

        A column with `categories` is an Enum of them, which Arrow gets as a dictionary. A column whose values are not
        what its type says stays text. Needs the extra `connectomedb[polars]`; raises ConfigError without it.
        """
        try:
            import polars
        except ImportError as fault:
            raise ConfigError(
                "A table becomes a DataFrame by polars, which is not installed. Install connectomedb[polars]."
            ) from fault
        return polars.DataFrame(
            [
                _polars_series(name, self[name], self.types.get(name, ""), self.categories.get(name))
                for name in self.columns
            ]
        )

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The table as an Arrow stream, for any library that takes one (Arrow's PyCapsule protocol); by polars."""
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def _find(self, name: str) -> int | None:
        """Place of a column: by name in any case, or by the field that was asked for."""
        lower = name.lower()
        names = [column.lower() for column in self.columns]
        by_field = {asked.lower(): column.lower() for asked, column in self.asked.items()}
        for candidate in (lower, by_field.get(lower, ""), lower.partition("/")[2]):
            if candidate and candidate in names:
                return names.index(candidate)
        return None

    def __repr__(self) -> str:
        columns = range(min(len(self.columns), SHOWN_COLUMNS))
        lines = [self.columns, *self.rows[:SHOWN_ROWS]]
        cells = [[_shown(line[index]) for index in columns] for line in lines]
        widths = [max(len(line[index]) for line in cells) for index in columns]
        drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
        return "\n".join([*(line.rstrip() for line in drawn), self._summary()])

    def _repr_html_(self) -> str:
        """For notebooks: the first rows, every text escaped."""

        def line(tag: str, cells: tuple[str, ...]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(_shown(cell))}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(line("td", row[:SHOWN_COLUMNS]) for row in self.rows[:SHOWN_ROWS])
        head = line("th", self.columns[:SHOWN_COLUMNS])
        return f"<table><thead>{head}</thead><tbody>{body}</tbody></table><p>{html.escape(self._summary())}</p>"

    def _summary(self) -> str:
        more_rows, more_columns = len(self.rows) > SHOWN_ROWS, len(self.columns) > SHOWN_COLUMNS
        more = ", the first shown" if more_rows or more_columns else ""
        return f"[{len(self.rows)} rows, {len(self.columns)} columns{more}]"


def _shown(cell: str) -> str:
    """A cell as it is drawn: short, and nothing that steers a terminal."""
    plain = "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in cell)
    return plain if len(plain) <= SHOWN_WIDTH else plain[: SHOWN_WIDTH - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _series(cells: list[str], type_name: str, categories: Sequence[str] | None) -> "pandas.Series":
    """One column with its real type, or as text where the values do not fit it."""
    import pandas

    present = [cell or None for cell in cells]
    if categories and set(cells) - {""} <= set(categories):
        return pandas.Series(pandas.Categorical(present, categories=list(categories)))
    try:
        match type_name:
            case "integer":
                return pandas.Series([None if cell is None else int(cell) for cell in present], dtype="Int64")
            case "float":
                return pandas.Series(
                    [float("nan") if cell is None else float(cell) for cell in present], dtype="float64"
                )
            case "date" | "timestamp":
                return pandas.to_datetime(pandas.Series(present, dtype="object"), format="ISO8601")
    except (ValueError, OverflowError):
        pass  # a lie about the type loses no value: the text stands
    return pandas.Series(present, dtype="string")


def _polars_series(name: str, cells: list[str], type_name: str, categories: Sequence[str] | None) -> "polars.Series":
    """One column with its real type, or as text where the values do not fit it."""
    import polars

    text = polars.Series(name, [cell or None for cell in cells], dtype=polars.String)
    if categories and set(cells) - {""} <= set(categories):
        return text.cast(polars.Enum(list(categories)))
    kinds: dict[str, polars.DataType] = {"integer": polars.Int64(), "float": polars.Float64(), "date": polars.Date()}
    kind = kinds.get(type_name)
    try:
        if type_name == "timestamp":
            return text.str.to_datetime()
        return text if kind is None else text.cast(kind)
    except polars.exceptions.InvalidOperationError:
        return text  # a lie about the type loses no value
