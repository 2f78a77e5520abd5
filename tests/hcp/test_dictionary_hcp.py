"""A made-up dictionary with every quirk of HCP's: none of its words are theirs."""

import pytest

from connectomedb.errors import ConfigError
from connectomedb.hcp.dictionary import Tier, ValueType
from connectomedb.hcp.dictionary_hcp import is_hcp_dictionary, parse_hcp_dictionary

HEADER = "fullDisplayName,category,assessment,columnHeader,description"
ROWS = [
    "Subject,Subject Information,Demographics,Subject,Who it is",
    'Age Range,Subject Information,Demographics,Age,"Group of ages, five years wide."',
    "Age Range,Subject Information,Demographics,Age,Group of ages.",
    "Age Range,Subject Information,Demographics,Age,Group of ages.",
    'Twins,Subject Information,Demographics,ZygositySR,"As told. Formerly \\Twin\\"" here, for ""both"" of them."""',
    'Visits,Subject Information,Demographics,TestRetestInterval,"From \\First\\"" to \\""Second\\"" visit."""',
    'Issues,QC Issues,Quality,QC_Issue,"See <a href=\\https://x.example/y\\"">the page</a>: A= one, B &amp; C = other"',
    'Left Part,FreeSurfer,Volume,FS_L_Part_Vol,"Means:  <a href=\\""https://x.example/P\\"">Part</a>"',
    "Right Part,FreeSurfer,Volume,FS_R_Part_Vol,",
    '  4. "Merry" \\""cheerful\\"" ,Personality,NEO-FFI, NEORAW_04 ,  It\u2019s \u201ctext\u201d \u2265 4 \u2013 5  ',
    "Full set,Study Completion,3T MR,3T_Full_MR_Compl,All (True or False)",
    "Without,Study Completion,Behavior,Non-TB_Compl,Others",
    'Schooling,Subject Information,Demographics,SSAGA_Educ,"Years: <=11 = 11; 12-16; >16 = 17"',
    "Odd,Nobody's Category,None,Odd_Score,New",
    "Drinks,Substance Use,Alcohol,Drinks_7days,How many",
    "Iron,Health and Family History,Physical Health,Hematocrit_1,Blood",
    "Size,Health and Family History,Physical Health,Height,Inches",
    "Sight,Sensory,Vision,EVA_Num,Sight",
    "Smell,Sensory,Olfaction,Odor_Unadj,Smell",
]
DOCUMENT = ("\ufeff" + "\r\n".join([HEADER, *ROWS])).encode()
READING = parse_hcp_dictionary(DOCUMENT)

DESCRIBED = [
    ("Age", "Group of ages, five years wide."),
    ("ZygositySR", 'As told. Formerly "Twin" here, for "both" of them.'),
    ("TestRetestInterval", 'From "First" to "Second" visit.'),
    ("QC_Issue", "See the page (https://x.example/y): A= one, B & C = other"),
    ("FS_L_Part_Vol", "Means: Part (https://x.example/P)"),
    ("FS_R_Part_Vol", ""),
    ("NEORAW_04", "It\u2019s \u201ctext\u201d \u2265 4 \u2013 5"),
    ("SSAGA_Educ", "Years: <=11 = 11; 12-16; >16 = 17"),
]


@pytest.mark.parametrize(("name", "description"), DESCRIBED)
def test_descriptions_are_mended_and_plain(name: str, description: str) -> None:
    field = READING.dictionary.find(name)
    assert field is not None
    assert field.description == description


def test_every_column_is_found_once_and_repeats_are_noted() -> None:
    assert len(READING.dictionary) == len(ROWS) - 2
    assert [note.split(";")[0] for note in READING.notes] == [
        "line 4: Age again, with other words",
        "line 5: Age again, with other words",
    ]
    assert READING.dictionary.find("NEORAW_04") is not None
    assert all(field.label for field in READING.dictionary)
    repeated = parse_hcp_dictionary(f"{HEADER}\nA,MR Sessions,B,A_A,C\nA,MR Sessions,B,A_A,C\n".encode())
    assert "the same" in repeated.notes[0]


TIERS = [
    ("Subject", Tier.OPEN),
    ("Age", Tier.OPEN),
    ("QC_Issue", Tier.OPEN),
    ("3T_Full_MR_Compl", Tier.OPEN),
    ("Odor_Unadj", Tier.OPEN),
    ("ZygositySR", Tier.RESTRICTED),
    ("TestRetestInterval", Tier.RESTRICTED),
    ("SSAGA_Educ", Tier.RESTRICTED),
    ("Height", Tier.RESTRICTED),
    ("EVA_Num", Tier.RESTRICTED),
    ("Odd_Score", Tier.RESTRICTED),
    ("Hematocrit_1", Tier.SENSITIVE),
    ("Drinks_7days", Tier.SENSITIVE),
]


@pytest.mark.parametrize(("name", "tier"), TIERS)
def test_a_column_is_closed_unless_it_is_known_to_be_open(name: str, tier: Tier) -> None:
    field = READING.dictionary.find(name)
    assert field is not None
    assert field.tier is tier


def test_what_the_file_does_not_say_is_added_where_it_is_known() -> None:
    find = READING.dictionary.find
    issue, volume, years, odd = (find(name) for name in ("QC_Issue", "FS_L_Part_Vol", "SSAGA_Educ", "Odd_Score"))
    assert issue and volume and years and odd
    assert issue.holds_several and [allowed.value for allowed in issue.values] == list("ABCDE")
    assert (volume.type, volume.unit) == (ValueType.FLOAT, "mm^3")
    assert (years.type, years.low, years.high) == (ValueType.INTEGER, 11, 17)
    assert (odd.type, odd.values) == (None, ())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_that_programs_save_is_read(encoding: str) -> None:
    text = f"{HEADER}\r\nNa\u00efve \u2013 old,MR Sessions,B,A_A,\u201cC\u201d"
    field = parse_hcp_dictionary(text.encode(encoding)).dictionary.find("A_A")
    assert field is not None
    assert (field.label, field.description) == ("Na\u00efve \u2013 old", "\u201cC\u201d")


FAULTY = [
    (b"", "first line"),
    (b"a,b,c\n", "HCP's dictionary begins"),
    (f"{HEADER}\nA,B,C\n".encode(), "line 2: 3 cells where 5"),
    (f"{HEADER}\nA,B,C,D_D,E,F\n".encode(), "line 2: 6 cells where 5"),
    (f"{HEADER}\nA,B,C,D/D,E\n".encode(), "line 2: .*'D/D'"),
    (f'{HEADER}\nA,B,C,D_D,"E"x\n'.encode(), "no CSV"),
    (f'{HEADER}\nA,B,C,D_D,"E\n'.encode(), "no CSV"),
]


@pytest.mark.parametrize(("document", "words"), FAULTY)
def test_what_is_no_dictionary_is_refused_with_the_line(document: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_hcp_dictionary(document, "x.csv")


def test_it_is_known_by_its_header() -> None:
    assert is_hcp_dictionary(DOCUMENT)
    assert not is_hcp_dictionary(b"name,label\n")
    assert not is_hcp_dictionary(b"")
