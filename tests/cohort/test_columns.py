import pytest
from tests.cohort.conditions import TYPE

from connectomedb.cohort.columns import Columns
from connectomedb.cohort.predicate import parse_predicate
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition, Tier

COLUMNS = Columns(
    Dictionary(
        (
            FieldDefinition("Open", tier=Tier.OPEN),
            FieldDefinition("Closed", tier=Tier.RESTRICTED),
            FieldDefinition("Blood", tier=Tier.SENSITIVE),
        )
    ),
    TYPE,
)

TIERS = [
    ("", Tier.OPEN),
    ("Open = 1 and Subject = 100307 and exists T1w/", Tier.OPEN),
    ("Open = 1 or (Closed = 2 and not Open = 3)", Tier.RESTRICTED),
    ("Blood is empty or Closed = 1", Tier.SENSITIVE),
    ("xnat:subjectData/AGE > 30", Tier.RESTRICTED),
]


@pytest.mark.parametrize(("predicate", "tier"), TIERS)
def test_a_predicate_is_as_closed_as_its_most_closed_column(predicate: str, tier: Tier) -> None:
    assert COLUMNS.tier(parse_predicate(predicate, COLUMNS)) is tier


NAMES = [
    (f"{TYPE}/Open", "Open"),
    (f"{TYPE}/SUBJECT_LABEL", "Subject"),
    ("xnat:subjectData/AGE", "xnat:subjectData/AGE"),
    ("Open", "Open"),
]


@pytest.mark.parametrize(("field", "name"), NAMES)
def test_fields_are_named_as_briefly_as_can_be(field: str, name: str) -> None:
    assert COLUMNS.name(field) == name
