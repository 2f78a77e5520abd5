"""An inner join whose left table is read first.

SQLite keeps no figures about the rows of tables, so it guesses which one to begin with; `CROSS JOIN` is its word for
taking the left one (https://sqlite.org/optoverview.html, "Manual Control Of Query Plans Using CROSS JOIN").
PostgreSQL knows its tables and decides for itself.
"""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import Join


class ReadFirst(Join):
    """The join; elsewhere than in SQLite like any other."""

    inherit_cache = True


@compiles(ReadFirst, "sqlite")
def _read_first(join: ReadFirst, compiler: SQLCompiler, **options: Any) -> str:
    options |= {"asfrom": True, "from_linter": None}
    left, right = (compiler.process(side, **options) for side in (join.left, join.right))
    assert join.onclause is not None
    return f"{left} CROSS JOIN {right} ON {compiler.process(join.onclause, from_linter=None)}"
