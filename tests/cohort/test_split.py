"""Train and test parts: no family is torn apart, the share is met, the seed decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.cohort.split import split_families
from connectomedb.errors import QueryError

LABELS = [f"{number}" for number in range(100_000, 100_120)]
FAMILIES = st.lists(st.sampled_from(["", *map(str, range(30))]), min_size=20, max_size=len(LABELS)).map(
    lambda drawn: dict(zip(LABELS, drawn, strict=False))
)


@given(FAMILIES, st.floats(0.05, 0.95), st.integers(0, 99))
def test_parts_make_up_the_whole_and_no_family_is_torn(families: dict[str, str], share: float, seed: int) -> None:
    split = split_families(families, test=share, seed=seed)
    assert sorted((*split.train, *split.test)) == sorted(families)
    kin = {families[label] for label in split.train} & {families[label] for label in split.test}
    assert kin <= {""}
    largest = max(max((list(families.values()).count(name) for name in set(families.values()) - {""}), default=1), 1)
    assert abs(len(split.test) - share * len(families)) <= largest


@given(FAMILIES, st.integers(0, 99))
def test_the_seed_decides(families: dict[str, str], seed: int) -> None:
    backwards = dict(reversed(families.items()))
    assert split_families(families, test=0.3, seed=seed) == split_families(backwards, test=0.3, seed=seed)


def test_strata_are_spread_alike() -> None:
    families = {label: str(number // 2) for number, label in enumerate(LABELS)}
    strata = {label: ("F" if number // 2 % 3 == 0 else "M",) for number, label in enumerate(LABELS)}
    test = split_families(families, test=0.25, strata=strata, seed=5).test
    assert len(test) == 30
    assert sum(strata[label] == ("F",) for label in test) == 10


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(QueryError, match="between 0 and 1"):
        split_families({"100307": ""}, test=share)
