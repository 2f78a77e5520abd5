"""Whether a subject has a file like a glob: `exists "T1w/*.nii.gz"` as an expression of SQL.

The files of a subject are those of its CREST resource, which holds the whole release tree.
"""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, String, and_, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from connectomedb.hcp.glob import ANY_SUBJECT, anywhere, compile_for_automata, compile_glob
from connectomedb.hcp.layout import crest_label
from connectomedb.server.access.auth import Caller
from connectomedb.server.access.visible import may_see
from connectomedb.server.tables.schema import experiments, files, resources
from connectomedb.server.types.datatypes import Entity

_SUBJECT = f"(?P<subject>{ANY_SUBJECT})/"
"""What every compiled glob begins with: it is of `<subject>/<path>`."""

_ANY_SUBJECT = "000000"
"""What `cohort.evaluate` puts in the subject's place."""

_GROUP = re.compile(r"\(\?P<(?P<opened>\w+)>|\(\?P=(?P<again>\w+)\)")
_WILD = re.compile(r"[*?]+|<\w+>")
_SHORTEST_PIECE = 3


def has_file(caller: Caller, subject: FromClause, project_key: ColumnElement[int], glob: str) -> ColumnElement[bool]:
    """Whether a subject has such a file in that project that the caller may read. Raises AddressError for no glob."""
    tree, held, inside = experiments.alias(), resources.alias(), files.alias()
    label = type_coerce(subject.c.label, String) + crest_label("")
    joined = tree.join(held, held.c.experiment_key == tree.c.key).join(inside, inside.c.resource_key == held.c.key)
    of_subject = (tree.c.subject_key == subject.c.key, tree.c.project_key == project_key, tree.c.label == label)
    wanted = select(inside.c.key).select_from(joined).where(*of_subject, held.c.label == label)
    return wanted.where(may_see(caller, Entity.EXPERIMENT, tree), is_like(inside.c.path, glob)).exists()


def is_like(path: ColumnElement[str], glob: str) -> ColumnElement[bool]:
    """Whether a path inside a subject fits a glob, begun in any folder."""
    fits = _Fits(path, _for_python(glob), _expression(glob))
    piece = _longest_piece(glob)  # looked for first: it is much cheaper than the expression
    return and_(path.contains(piece, autoescape=True), fits) if len(piece) >= _SHORTEST_PIECE else fits


class _Fits(FunctionElement[bool]):
    """Whether a path fits an expression: SQLite asks Python, which backtracks; PostgreSQL has an automaton."""

    type = Boolean()
    inherit_cache = True


@compiles(_Fits, "sqlite")
def _fits_sqlite(element: _Fits, compiler: SQLCompiler, **options: Any) -> str:
    path, expression, _ = element.clauses
    return compiler.process(path.regexp_match(expression), **options)


@compiles(_Fits, "postgresql")
def _fits_postgresql(element: _Fits, compiler: SQLCompiler, **options: Any) -> str:
    path, _, expression = element.clauses
    return compiler.process(path.regexp_match(expression), **options)


@lru_cache
def _for_python(glob: str) -> str:
    """A regular expression of whole paths, for a subject whom no path names: Python's engine takes it."""
    whole = compile_glob(anywhere(glob)).pattern.removeprefix(_SUBJECT)
    return rf"(?s)\A(?:{whole.replace('(?P=subject)', _ANY_SUBJECT)})\Z"


@lru_cache
def _expression(glob: str) -> str:
    """A regular expression of whole paths, in what Python and PostgreSQL both read: groups have numbers for names."""
    numbers: dict[str, int] = {}

    def plain(found: re.Match[str]) -> str:
        if found["again"] == "subject":
            return _ANY_SUBJECT
        if found["again"]:
            return rf"(?:\{numbers[found['again']]})"
        if found["opened"] == "name":
            return "(?:"
        numbers[found["opened"]] = len(numbers) + 1
        return "("

    whole = compile_for_automata(anywhere(glob)).pattern.removeprefix(_SUBJECT)
    return rf"(?s)\A(?:{_GROUP.sub(plain, whole)})\Z"


def _longest_piece(glob: str) -> str:
    """The longest text that stands in every path that fits; slashes at its ends may be crossed by `**`."""
    outside, depth = [], 0
    for sign in glob:
        depth += (sign == "{") - (sign == "}")
        outside.append("*" if depth or sign == "}" else sign)
    return max((piece.strip("/") for piece in _WILD.split("".join(outside))), key=len)
