"""The subject dashboard's questions, for any client: which subjects meet a predicate, how many, and what they have.

| request                                       | answer                                                              |
|-----------------------------------------------|---------------------------------------------------------------------|
| `GET /data/projects/P/explore`                | JSON: counts, a page of rows, with `funnel=true` the funnel; or CSV |
| `GET /data/projects/P/explore/subjects`       | labels of all that pass, one per line; or JSON                      |
| `GET /data/projects/P/explore/distribution`   | JSON: histogram or bars of `column=`, of all and of those that pass |

Without a project, `/data/explore...`, all that the caller may see; POST takes the same as a form. Rows are subjects
with measures of one data type. docs/guide.md has the parameters.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from starlette.responses import Response

from connectomedb.cohort.funnel import Funnel, funnel_of
from connectomedb.errors import AddressError
from connectomedb.hcp.dictionary import FieldDefinition, Tier
from connectomedb.server.access.small_groups import hide_small
from connectomedb.server.query.distribution import (
    MAX_BINS,
    MIN_BINS,
    Bars,
    Counted,
    Histogram,
    read_bars,
    read_histogram,
)
from connectomedb.server.query.explore import Shown
from connectomedb.server.query.sql import Page
from connectomedb.server.routes.call import Call, Way
from connectomedb.server.routes.dictionary import disposition_of_export
from connectomedb.server.routes.explored import PROJECT, SUBJECT, Asked, answering, read_asked
from connectomedb.server.routes.replies import Format, choose_format, json_document, table_of, text
from connectomedb.server.types.datatypes import Kind
from connectomedb.server.types.values import format_column
from connectomedb.xnat.resultset import ResultTable

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
"""Rows of one page in JSON; CSV has no limit."""

DEFAULT_BINS = 20
BATCH = 1_000
"""Rows that are read at once."""

MAX_FORM_BYTES = 1 << 17


@answering
def get_explore(call: Call) -> Response:
    """Counts and rows, as JSON or CSV."""
    chosen = choose_format(call, (Format.JSON, Format.CSV), Format.JSON)
    with read_asked(call) as asked:
        columns = asked.shown(call.parameters)
        sort = asked.find(call.parameters.get("sort") or SUBJECT)
        page = _page(call, None if chosen is Format.CSV else DEFAULT_LIMIT)
        if chosen is Format.JSON and (page.limit is None or page.limit > MAX_LIMIT):
            raise AddressError(f"Asked for a page of more than {MAX_LIMIT} rows. Ask for fewer, or for format=csv.")
        keys = []
        if page.limit != 0:
            ordered = asked.exploration.keys(sort, page, is_descending=call.parameters.is_true("descending"))
            keys = list(asked.view.connection.execute(ordered).scalars())
        rows = _rows(asked, columns, keys)
        if chosen is Format.CSV:
            frame = ResultTable(tuple(column.name for column in columns), ())
            cells = ([format_column(values) for values in zip(*batch, strict=True)] for batch in rows)
            reply = table_of(call, frame, cells, Format.CSV)
            is_restricted = bool(asked.exploration.names.rights.read)
            reply.headers["Content-Disposition"] = disposition_of_export(call, is_restricted=is_restricted)
            return reply
        counted = _count(asked)
        answer: dict[str, object] = {"total": counted.total, "passed": counted.passed}
        answer |= {"tier": asked.exploration.names.rights.highest, "predicate": asked.predicate}
        answer["columns"] = [_describe(asked, column) for column in columns]
        answer["rows"] = [row for batch in rows for row in batch]
        if call.parameters.is_true("funnel"):
            answer["funnel"] = [asdict(step) for step in counted.steps]
        return _json(answer)


@answering
def get_subjects(call: Call) -> Response:
    """Label and project of all that pass."""
    with read_asked(call) as asked:
        found = asked.view.connection.execute(asked.exploration.places())
        places = [(label, project) for label, project in found if label is not None]
    if call.parameters.get("format") == "json":
        return _json({"columns": [SUBJECT, PROJECT], "rows": places})
    return text("".join(f"{label}\n" for label in dict.fromkeys(label for label, _ in places)))


@answering
def get_distribution(call: Call) -> Response:
    """How one column is spread."""
    most = call.parameters.count("bins", DEFAULT_BINS)
    if most is None or not MIN_BINS <= most <= MAX_BINS:
        raise AddressError(f"Asked for bins={call.parameters.get('bins')!r}. Give {MIN_BINS} to {MAX_BINS}.")
    with read_asked(call) as asked:
        column = asked.find(call.parameters.get("column"))
        measured, kind = asked.exploration.measured(column), asked.exploration.kind(column)
        hide = _hiding(call, asked, column)
        connection = asked.view.connection
        if kind is Kind.STRING:
            return _json(_bars(read_bars(connection, measured, most), hide))
        return _json(_histogram(read_histogram(connection, measured, most, is_whole=kind is Kind.INTEGER), hide))


Hide = Callable[[Sequence[Counted]], list[dict[str, int | None]]]
"""Counts as they may be shown."""


def _hiding(call: Call, asked: Asked, column: Shown) -> Hide:
    """Counts of a column above the open tier, and of subjects chosen by one, are not told where they are small."""
    smallest = call.site.settings.access.smallest_group
    is_open = asked.tier(column) is Tier.OPEN
    of_all = 0 if is_open else smallest
    of_passed = smallest if not is_open or asked.reads_restricted else 0

    def hide(counts: Sequence[Counted]) -> list[dict[str, int | None]]:
        every, passed = [count.all for count in counts], [count.passed for count in counts]
        pairs = zip(hide_small(every, of_all), hide_small(passed, of_passed), strict=True)
        return [{"all": one, "passed": other} for one, other in pairs]

    return hide


def _histogram(found: Histogram, hide: Hide) -> dict[str, object]:
    *counts, missing = hide((*found.counts, found.missing))
    facts = {"kind": "number", "low": found.low, "high": found.high, "edges": found.edges}
    lists = {name: [count[name] for count in counts] for name in ("all", "passed")}
    return {**facts, **lists, "missing": missing}


def _bars(found: Bars, hide: Hide) -> dict[str, object]:
    *counts, others, missing = hide((*(count for _, count in found.counts), found.others, found.missing))
    values = [{"value": word, **count} for (word, _), count in zip(found.counts, counts, strict=True)]
    return {"kind": "word", "values": values, "others": {"values": found.other_values, **others}, "missing": missing}


def _count(asked: Asked) -> Funnel:
    ends = asked.view.connection.execute(asked.exploration.count_ends())
    return funnel_of(asked.exploration.where, {end: count for end, count in ends}, asked.columns)


def _rows(asked: Asked, columns: Sequence[Shown], keys: Sequence[int]) -> Iterator[Sequence[Sequence[object]]]:
    """The values of rows, in the order of their keys, in batches."""
    for start in range(0, len(keys), BATCH):
        part = keys[start : start + BATCH]
        found = asked.view.connection.execute(asked.exploration.values(columns, part))
        values = {key: row for key, *row in found}
        yield [values[key] for key in part]


def _describe(asked: Asked, column: Shown) -> dict[str, object]:
    known = asked.columns.definition(column.name) or FieldDefinition(column.name, tier=Tier.OPEN)
    kind = asked.exploration.kind(column)
    header = known.label or known.name
    return {"name": column.name, "header": header, "tier": known.tier, "kind": kind, "description": known.description}


def _page(call: Call, default: int | None) -> Page:
    return Page(call.parameters.count("limit", default), call.parameters.count("offset", 0) or 0)


def _json(content: object, status: int = 200) -> Response:
    """JSON, which has no numbers without end: they are written as text."""
    try:
        written = _write(content)
    except ValueError:
        written = _write(_with_end(content))
    reply = json_document(written.encode())
    reply.status_code = status
    return reply


def _write(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _with_end(content: object) -> object:
    if isinstance(content, dict):
        return {key: _with_end(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_with_end(value) for value in content]
    return str(content) if isinstance(content, float) and not math.isfinite(content) else content


WAYS = tuple(
    Way("GET POST", f"{root}/explore{what}", handler, max_body_bytes=MAX_FORM_BYTES)
    for root in ("/data", "/data/projects/{project}")
    for what, handler in (("", get_explore), ("/subjects", get_subjects), ("/distribution", get_distribution))
)
