"""Globs mean the same whether they go back and try anew or not; and none makes a path take long."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectomedb.errors import AddressError
from connectomedb.hcp.glob import anywhere, compile_for_automata, compile_glob

STARS = ("*", "**", "**/", "/**/", "*a", "**b", "a*", "?", "/")
TEXTS = ("a", "b", "a", "b", "{a,b}", "{a,}", "{*,a/}", "{**/a,b}", "<pe>", "<7T>", "<subject>", "LR")
TREACHEROUS = (
    "**?**?**?**?**?**?**?**!",
    "*a*a*a*a*a*a*a*a*b",
    "**/*a*{a,aa}*{a,b}*a*!",
    "<pe>*a*a*a*a*a*a!",
    "<subject>*<subject>*0*0*0*0*0!",
)
LONG_S = 1.0


@given(st.data())
@settings(max_examples=400)
def test_a_glob_that_never_tries_long_means_what_the_plain_one_means(data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.sampled_from(STARS) | st.sampled_from(TEXTS), min_size=3, max_size=8))
    try:
        glob = compile_glob("".join(parts))
    except AddressError:
        return
    plain = compile_for_automata("".join(parts))
    letters = st.lists(st.sampled_from(("a", "b", "/", "LR", "_7T", "000000")), min_size=1, max_size=9)
    for _ in range(5):
        path = re.sub("/+", "/", "".join(data.draw(letters))).strip("/")
        whole = f"000000/{path}"
        assert bool(glob.fullmatch(whole)) is bool(plain.fullmatch(whole)), (glob.pattern, path)


@pytest.mark.parametrize("glob", TREACHEROUS)
@pytest.mark.parametrize("letter", ["a", "0", "a/"])
def test_no_glob_takes_long_for_a_path_that_does_not_fit(glob: str, letter: str) -> None:
    begun = time.monotonic()
    assert compile_glob(anywhere(glob)).fullmatch(f"000000/{letter * 300}c") is None
    assert time.monotonic() - begun < LONG_S


def test_too_many_stars_beside_too_many_alternatives_are_refused() -> None:
    with pytest.raises(AddressError, match="beside many alternatives"):
        compile_glob("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*a*a*a*a*b")
    assert compile_glob("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*a*").fullmatch("1/ababababaxa")
