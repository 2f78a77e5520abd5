r"""Our one-line language ⇄ conditions of a Query.

    PMAT24_A_CR >= 20 and Gender = 'F' and not QC_Issue has A,B and Age in ('22-25', '26-30')
    and NEOFAC_N is not empty and exists "rfMRI_REST1_LR/*_MSMAll.dtseries.nii"

    condition   column sign value                     = == != <> < <= > >=
                column != value or empty              missing values, too
                column [not] between low and high     both included
                column [not] in (value, ...)
                column [not] like 'F*'                whole value, without case; * and % are any run of characters
                column [not] contains 'part'          like '*part*'
                column [not] has code, ...            one of these is among the codes in the cell, without case
                column is [not] empty                 also: null, missing
                exists "glob"                         the subject has such a file, in whatever folder the glob begins
    joined by   not, and, or (in this order of strength) and parentheses

A column is a word, or in quotes if it holds other signs or is a keyword; `type/FIELD` names one of another data type.
Values are words, or in quotes; a quote inside is written twice. Keywords have no case, columns and values have.

A comparison with a missing value is neither true nor false, and so is `not` of it: such a subject is not found
(`xnat.logic`). `has` is the exception: an empty cell holds no codes, so `not QC_Issue has A` finds who has none.
"""

import re
from collections.abc import Callable, Sequence

from connectomedb.cohort.columns import Column, Columns, check_comparison, check_value
from connectomedb.cohort.tokens import Kind, Token, fault, tokenize
from connectomedb.errors import AddressError, PredicateError, QueryError
from connectomedb.hcp.glob import anywhere, compile_glob
from connectomedb.xnat.logic import opposite, simplify
from connectomedb.xnat.plain import check_code
from connectomedb.xnat.query import FILE_PATH, Comparison, Criterion, Group, Method, parse_comparison

MAX_DEPTH = 32
"""Deepest nesting of parentheses and `not`."""

MAX_CONDITIONS = 500
"""Most conditions of one predicate."""

_SIGNS = frozenset({"=", "==", "!=", "<>", "<", "<=", ">", ">="})
_EMPTY = ("empty", "null", "missing")
_SPECIAL = ("*", "NULL")
_BOUND = re.compile(r"(?:(?!\band\b)[^'\"])+", re.IGNORECASE)
_SLIPS = {"&": "and", "&&": "and", "|": "or", "||": "or"}
_OPERATORS = "=, !=, <, <=, >, >=, in, between, like, contains, has, is empty or is not empty"

Condition = Criterion | Group


def parse_predicate(predicate: str, columns: Columns | None = None) -> Group:
    """Read a predicate; blank is no condition. Raises PredicateError, which points at the place."""
    tokens = tokenize(predicate)
    if tokens[0].kind is Kind.END:
        return Group()
    return _Parser(predicate, tokens, columns or Columns()).parse()


class _Parser:
    """Reads tokens from left to right; each method reads one rule of the grammar."""

    def __init__(self, predicate: str, tokens: Sequence[Token], columns: Columns) -> None:
        self._predicate = predicate
        self._tokens = tokens
        self._columns = columns
        self._next = 0
        self._depth = 0
        self._conditions = 0

    def parse(self) -> Group:
        condition = self._any()
        token = self._peek()
        if token.kind is not Kind.END:
            slip = _SLIPS.get(token.text)
            raise self._unexpected(token, "'and', 'or' or the end", [slip] if slip else ())
        return simplify(Group(Method.AND, (condition,)))

    def _any(self) -> Condition:
        return self._joined("or", Method.OR, lambda: self._joined("and", Method.AND, self._one))

    def _joined(self, word: str, method: Method, read: Callable[[], Condition]) -> Condition:
        members = [read()]
        while self._take(word):
            members.append(read())
        return members[0] if len(members) == 1 else Group(method, tuple(members))

    def _one(self) -> Condition:
        token = self._peek()
        if token.keyword not in ("not", "("):
            return self._condition()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault(token, f"parentheses and 'not' nest deeper than {MAX_DEPTH} levels. Flatten it.")
        self._next += 1
        if token.keyword == "not":
            condition = opposite(self._one())
        else:
            condition = self._any()
            self._expect(")", "')'")
        self._depth -= 1
        return condition

    def _condition(self) -> Condition:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise self._fault(
                self._peek(), f"there are more than {MAX_CONDITIONS} conditions. Use 'in' for many values."
            )
        if self._take("exists"):
            return self._exists()
        name = self._peek()
        if name.keyword or name.kind not in (Kind.WORD, Kind.TEXT) or not name.text:
            raise self._unexpected(name, "a column, 'exists', 'not' or '('")
        self._next += 1
        column = self._columns.resolve(name, self._predicate)
        if self._take("is"):
            return self._is_empty(column)
        is_negated = self._take("not")
        condition = self._comparison(column, is_negated)
        return opposite(condition) if is_negated else condition

    def _comparison(self, column: Column, is_negated: bool) -> Condition:
        sign = self._advance()
        match sign.keyword:
            case "between":
                return self._between(column, sign)
            case "in":
                return self._in(column, sign)
            case "like" | "contains":
                return self._like(column, sign)
            case "has":
                return self._has(column, sign)
            case word if word in _SIGNS and not is_negated:
                return self._compared(column, sign)
        raise self._unexpected(sign, "in, between, like, contains or has" if is_negated else _OPERATORS)

    def _compared(self, column: Column, sign: Token) -> Condition:
        comparison = parse_comparison(sign.text)
        differs = comparison is Comparison.NOT_EQUAL
        value = self._value(column, sign, comparison)
        if not differs and comparison is not Comparison.EQUAL:
            return Criterion(column.field, comparison, value.text.strip())
        if not value.text.strip():
            raise self._fault(value, "an empty text is a missing value.", [f"is {'not ' if differs else ''}empty"])
        if differs and self._peek().keyword == "or" and self._peek(1).keyword in _EMPTY:
            if value.text.strip() in _SPECIAL:
                raise self._fault(value, f"{value.text!r} cannot be excluded this way. Write: not in ({value.text}).")
            self._next += 2
            return Criterion(column.field, Comparison.NOT_EQUAL, value.text.strip())
        equal = _equals(column, value.text.strip())
        return opposite(equal) if differs else equal

    def _between(self, column: Column, sign: Token) -> Condition:
        low = self._value(column, sign, Comparison.BETWEEN)
        self._expect("and", "'and' and the upper bound")
        high = self._value(column, sign, Comparison.BETWEEN)
        for bound in (low, high):
            if not bound.text.strip() or not _BOUND.fullmatch(bound.text):
                raise self._fault(bound, "that is no bound. Write a number, as in: between 20 and 30.")
        return Criterion(column.field, Comparison.BETWEEN, f"{low.text.strip()} AND {high.text.strip()}")

    def _in(self, column: Column, sign: Token) -> Condition:
        self._expect("(", "'(' and values, as in: in ('22-25', '26-30')")
        values = self._values(column, sign, Comparison.IN)
        self._expect(")", "',' or ')'")
        together, alone = _dealt([value.text.strip() for value in values])
        criteria = [Criterion(column.field, Comparison.IN, ",".join(together))] if together else []
        criteria += [Criterion(column.field, Comparison.EQUAL, value) for value in alone]
        return criteria[0] if len(criteria) == 1 else Group(Method.OR, tuple(criteria))

    def _like(self, column: Column, sign: Token) -> Condition:
        value = self._value(column, sign, Comparison.LIKE)
        pattern = f"*{value.text.strip()}*" if sign.keyword == "contains" else value.text.strip()
        if not value.text.strip():
            raise self._fault(value, "an empty text is part of every text.", ["is not empty"])
        return Criterion(column.field, Comparison.LIKE, pattern)

    def _has(self, column: Column, sign: Token) -> Condition:
        is_enclosed = self._take("(")
        codes = self._values(column, sign, Comparison.HAS)
        if is_enclosed:
            self._expect(")", "',' or ')'")
        for code in codes:
            try:
                check_code(code.text)
            except QueryError:
                raise self._fault(code, "a code holds no blanks, commas, quotes, % or *. Name each alone.") from None
        return Criterion(column.field, Comparison.HAS, ",".join(dict.fromkeys(code.text for code in codes)))

    def _is_empty(self, column: Column) -> Criterion:
        comparison = Comparison.IS_NOT_NULL if self._take("not") else Comparison.IS_NULL
        if not any(self._take(word) for word in _EMPTY):
            raise self._unexpected(self._peek(), "'empty' or 'not empty'")
        return Criterion(column.field, comparison)

    def _exists(self) -> Criterion:
        pattern = self._advance()
        if pattern.kind not in (Kind.WORD, Kind.TEXT) or pattern.keyword:
            raise self._unexpected(pattern, 'a pattern of files, as in: exists "T1w/*.nii.gz"')
        try:
            compile_glob(anywhere(pattern.text))
        except AddressError as reason:
            raise self._fault(pattern, f"{pattern.text!r} is no pattern of files. {reason}") from None
        return Criterion(FILE_PATH, Comparison.EXISTS, pattern.text)

    def _values(self, column: Column, sign: Token, comparison: Comparison) -> list[Token]:
        values = [self._value(column, sign, comparison)]
        while self._take(","):
            values.append(self._value(column, sign, comparison))
        for value in values:
            if not value.text.strip():
                raise self._fault(value, "an empty text is a missing value.", ["is empty"])
        return values

    def _value(self, column: Column, sign: Token, comparison: Comparison) -> Token:
        """A value, checked against what the dictionary says of its column."""
        value = self._advance()
        if value.kind not in (Kind.WORD, Kind.TEXT):
            raise self._unexpected(value, "a value")
        if value.keyword:
            near = ["is empty"] if value.keyword in _EMPTY and comparison is Comparison.EQUAL else []
            raise self._fault(
                value, f"the keyword {value.text!r} stands where a value is due. If it is one: '{value.text}'.", near
            )
        check_comparison(column, comparison, sign, self._predicate)
        check_value(column, comparison, value, self._predicate)
        return value

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _advance(self) -> Token:
        token = self._peek()
        self._next += token.kind is not Kind.END
        return token

    def _take(self, keyword: str) -> bool:
        """Whether this keyword or sign comes next; if so it is read."""
        is_next = self._peek().keyword == keyword
        self._next += is_next
        return is_next

    def _expect(self, keyword: str, words: str) -> None:
        if not self._take(keyword):
            raise self._unexpected(self._peek(), words)

    def _unexpected(self, token: Token, wanted: str, near: Sequence[str] = ()) -> PredicateError:
        what = "the predicate ends" if token.kind is Kind.END else f"there is {token.text!r}"
        return self._fault(token, f"{what} where {wanted} should come.", near)

    def _fault(self, token: Token, what: str, near: Sequence[str] = ()) -> PredicateError:
        return fault(self._predicate, token.start, token.end, what, near)


def _equals(column: Column, value: str) -> Criterion:
    """Equal to a text, and never one of the values that mean something else to XNAT's `=`."""
    return Criterion(column.field, Comparison.IN if value in _SPECIAL else Comparison.EQUAL, value)


def _dealt(values: Sequence[str]) -> tuple[list[str], list[str]]:
    """Values for one comma list, and those that such a list cannot hold; each once."""
    distinct = list(dict.fromkeys(values))
    alone = [value for value in distinct if any(sign in value for sign in ",()'\"")]
    return [value for value in distinct if value not in alone], alone
