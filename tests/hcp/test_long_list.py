"""A long list is read as the json module reads the whole document, however the file comes in pieces."""

import io
import json

import pytest

from connectomedb.hcp.long_list import LongList

ELEMENTS = [{"URI": f"100307/T1w/{number}.txt", "é": '"Includes":[', "n": [1, {"a": "]"}]} for number in range(50)]


class Drops(io.BytesIO):
    """A file that gives few bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(7)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("elements", [ELEMENTS, [], [12, 345, "x", None]], ids=["many", "none", "numbers"])
@pytest.mark.parametrize("is_first", [True, False])
def test_elements_come_one_by_one_and_the_rest_at_the_end(
    elements: list[object], indent: int | None, is_first: bool
) -> None:
    document: dict[str, object] = {"Subject": "100307", "Includes": elements}
    if is_first:
        document = dict(reversed(document.items()))
    text = json.dumps({"DownloadManifest": document}, indent=indent, ensure_ascii=False).encode()
    read = LongList(Drops(text), "Includes")
    assert list(read) == elements
    assert read.rest == {"DownloadManifest": document | {"Includes": []}}


def test_a_document_without_the_list_has_no_elements() -> None:
    read = LongList(io.BytesIO(b'{"other": [1]}'), "Includes")
    assert (list(read), read.rest) == ([], {"other": [1]})


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'{"Includes": [1, 2',
        b'{"Includes": [1 2]}',
        b'{"Includes": [1,]}',
        b'{"Includes": [,1]}',
        b'{"Includes": [1]',
        b'{"Includes": [1]}}',
        b'{"Includes": [{"a": 1]}',
        b'{"Includes": ["\xff"]}',
        b'{"Includes": ["' + b"x" * 3_000_000,
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        list(LongList(io.BytesIO(text), "Includes"))
