import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.demo.measures.all_columns import demo_dictionary
from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition
from connectomedb.hcp.field_search import find_fields

DICTIONARY = Dictionary(
    (
        FieldDefinition("PMAT24_A_CR", assessment="Fluid Intelligence", label="Matrices", description="Items solved"),
        FieldDefinition("PMAT24_A_SI", assessment="Fluid Intelligence", label="Matrices", description="Items left out"),
        FieldDefinition("CogFluidComp_Unadj", category="Cognition", label="Fluid composite", description="Mean"),
        FieldDefinition("DSM_Anxi_T", label="Anxiety problems", description="Scaled"),
        FieldDefinition("WM_Task_2bk_Acc", label="Working memory", description="Percent right, two back"),
        FieldDefinition("FS_L_Hippo_Vol", label="Left-Hippocampus Volume", description="Memory, anxiety and more"),
        FieldDefinition("3T_RS-fMRI_Count", label="Resting runs", description="How many"),
        FieldDefinition("Pain", label="Pain", description="PMAT24_A_CR stands here by mistake"),
    )
)

FOUND = [
    ("PMAT24_A_CR", ["PMAT24_A_CR", "Pain"]),
    ("pmat24_a_cr", ["PMAT24_A_CR", "Pain"]),
    ("PMAT24", ["PMAT24_A_CR", "PMAT24_A_SI", "Pain"]),
    ("fluid intelligence", ["PMAT24_A_CR", "PMAT24_A_SI"]),
    ("Fluid INTELIGENCE", ["PMAT24_A_CR", "PMAT24_A_SI"]),
    ("fluid", ["CogFluidComp_Unadj", "PMAT24_A_CR", "PMAT24_A_SI"]),
    ("anxeity", ["DSM_Anxi_T", "FS_L_Hippo_Vol"]),
    ("memroy", ["WM_Task_2bk_Acc", "FS_L_Hippo_Vol"]),
    ("hipocampus volume", ["FS_L_Hippo_Vol"]),
    ("hippo", ["FS_L_Hippo_Vol"]),
    ("2bk", ["WM_Task_2bk_Acc"]),
    ("3T resting", ["3T_RS-fMRI_Count"]),
    ("xylophone", []),
    ("fluid xylophone", []),
    ("", []),
    ("?!", []),
]


@pytest.mark.parametrize(("words", "names"), FOUND)
def test_columns_are_found_by_words_and_the_best_come_first(words: str, names: list[str]) -> None:
    assert [field.name for field in find_fields(DICTIONARY, words)] == names


def test_no_more_are_given_than_asked_for() -> None:
    assert [field.name for field in find_fields(DICTIONARY, "fluid", most=1)] == ["CogFluidComp_Unadj"]


@given(st.sampled_from(demo_dictionary().fields))
def test_every_column_is_found_first_by_its_name(field: FieldDefinition) -> None:
    assert find_fields(demo_dictionary(), field.name)[0] == field


@given(st.text(max_size=60))
def test_no_words_are_too_odd_to_look_for(words: str) -> None:
    assert len(find_fields(DICTIONARY, words)) <= len(DICTIONARY)


def test_a_search_among_five_thousand_columns_takes_no_time_to_speak_of() -> None:
    """0.02 s promised; the bound here leaves room for a busy machine."""
    fields = demo_dictionary().fields
    many = Dictionary(
        tuple(
            FieldDefinition(f"{field.name}_{copy}", label=field.label, description=f"{field.description} v{copy}")
            for copy in range(5_000 // len(fields) + 1)
            for field in fields
        )
    )
    find_fields(many, "warm up")
    took = []
    for words in ("fluid inteligence", "workng memroy acuracy", "reaction time", "zzzzzzzz"):
        begun = time.perf_counter()
        find_fields(many, words)
        took.append(time.perf_counter() - begun)
    assert max(took) < 0.2


NEAR = [
    ("pmat24_a_cr", ["PMAT24_A_CR"]),
    ("PMAT24_A_C", ["PMAT24_A_CR", "PMAT24_A_SI"]),
    ("3T_RS_fMRI_Count", ["3T_RS-fMRI_Count"]),
    ("Xylophone", []),
]


@pytest.mark.parametrize(("name", "names"), NEAR)
def test_a_name_mistyped_has_near_ones(name: str, names: list[str]) -> None:
    assert DICTIONARY.find(name) is None
    assert DICTIONARY.near(name) == names


def test_a_dictionary_names_each_column_once() -> None:
    with pytest.raises(ConfigError, match="A_A twice"):
        Dictionary((FieldDefinition("A_A"), FieldDefinition("B_B"), FieldDefinition("A_A", label="other")))
