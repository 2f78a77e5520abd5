"""Whether a reply is the part of an object that was asked for."""

from collections.abc import Mapping

import pytest

from connectomedb.stores._answers import Misfit, is_whole
from connectomedb.transfer.source import Span

ASKED = Span(100, 50)
PART = {"content-range": "bytes 100-149/1000"}


@pytest.mark.parametrize("more", [{}, {"content-length": "50"}, {"transfer-encoding": "chunked"}])
def test_the_part_that_was_asked_for_is_taken(more: Mapping[str, str]) -> None:
    assert not is_whole(206, PART | dict(more), ASKED)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 101-149/1000"},
        {"content-range": "bytes 100-150/1000"},
        PART | {"content-length": "49"},
        PART | {"content-length": "71"},
    ],
)
def test_another_part_or_one_of_another_length_is_refused(headers: Mapping[str, str]) -> None:
    with pytest.raises(Misfit):
        is_whole(206, headers, ASKED)
