import pytest

from connectomedb.errors import ConfigError
from connectomedb.hcp.advisories import Defect, known_advisories, parse_advisories
from connectomedb.hcp.release import RELEASES

KNOWN = known_advisories()
RESULTS = "MNINonLinear/Results"

FILES: list[tuple[str, str, str, list[Defect]]] = [
    ("200614", f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz", "HCP_1200", [Defect.MISSING]),
    ("200614", f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR_SBRef.nii.gz", "HCP_1200", []),
    ("200614", f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz", "HCP_Q1", []),
    ("100307", f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz", "HCP_1200", []),
    ("150928", f"{RESULTS}/rfMRI_REST2_LR/rfMRI_REST2_LR_hp2000_clean.nii.gz", "HCP_1200", [Defect.MISSING]),
    ("150928", f"{RESULTS}/rfMRI_REST2_RL/rfMRI_REST2_RL_hp2000_clean.nii.gz", "HCP_1200", []),
    ("549757", f"{RESULTS}/rfMRI_REST1_7T_PA/Movement_Regressors.txt", "HCP_1200", [Defect.MISSING]),
    ("668361", f"{RESULTS}/tfMRI_WM_RL/EVs/cue.txt", "HCP_1200", [Defect.INCOMPLETE, Defect.MISSING]),
    ("103010", f"{RESULTS}/tfMRI_WM_RL/tfMRI_WM_RL.nii.gz", "HCP_1200", [Defect.WRONG]),
    ("103010", f"{RESULTS}/tfMRI_WM_LR/tfMRI_WM_LR.nii.gz", "HCP_1200", []),
    ("168139", "unprocessed/3T/tfMRI_WM_LR/168139_3T_tfMRI_WM_LR.nii.gz", "HCP_1200", [Defect.UNUSABLE]),
    ("130922", "T1w/Diffusion/bvals", "HCP_1200", [Defect.WITHDRAWN]),
    ("130922", "T1w/T1w_acpc_dc.nii.gz", "HCP_1200", []),
    ("142626", "T1w/T1w_acpc_dc.nii.gz", "HCP_900", [Defect.WITHDRAWN]),
    ("341834", f"{RESULTS}/rfMRI_REST1_RL/rfMRI_REST1_RL_hp2000_clean.nii.gz", "HCP_Retest", [Defect.MISSING]),
    ("103515", "T1w/Diffusion/data.nii.gz", "HCP_500", [Defect.WRONG]),
    ("103515", "T1w/Diffusion/data.nii.gz", "HCP_1200", []),
]


@pytest.mark.parametrize(("subject", "path", "release", "kinds"), FILES)
def test_what_is_known_of_a_file_comes_gravest_first(
    subject: str, path: str, release: str, kinds: list[Defect]
) -> None:
    assert [advisory.kind for advisory in KNOWN.of_file(subject, path, release)] == kinds


def test_every_advisory_has_a_source_and_a_known_release() -> None:
    assert len(KNOWN.advisories) >= 17
    for advisory in KNOWN.advisories:
        assert advisory.source and advisory.summary
        assert set(advisory.releases) <= set(RELEASES)
    assert {advisory.id for advisory in KNOWN.advisories if not advisory.is_complete} == {
        "gone-2021",
        "phase-encoding-rl",
    }


REST, T1 = f"{RESULTS}/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz", "T1w/T1w_acpc_dc.nii.gz"
CODES = [("A", T1, True), ("B", T1, True), ("C", REST, True), ("D", REST, True), ("D", T1, False), ("E", REST, True)]


@pytest.mark.parametrize(("code", "path", "is_touched"), CODES)
def test_a_quality_code_says_which_files_it_may_have_spoiled(code: str, path: str, is_touched: bool) -> None:
    (known,) = KNOWN.of_codes([code.lower()])
    assert known.code == code
    assert known.touches("100307", path) is is_touched


def test_unknown_codes_say_nothing() -> None:
    assert [code.code for code in KNOWN.of_codes(["E", "Z", " a ", "A", ""])] == ["A", "E"]


ENTRY = """[[advisory]]
id = "x"
kind = "wrong"
subjects = ["100307"]
releases = ["HCP_1200"]
paths = ["T1w/**"]
summary = "s"
source = "w"
"""
FAULTY = [
    ("[[advisory", "no|Expected"),
    ("[[other]]\nx = 1", "other"),
    (ENTRY + ENTRY, "id occurs twice"),
    (ENTRY.replace('"wrong"', '"odd"'), "advisory x: 'odd'"),
    (ENTRY.replace('"100307"', '"10030"'), "advisory x: .*six digits"),
    (ENTRY.replace('"T1w/**"', '"T1w/{"'), "advisory x: .*no glob"),
    (ENTRY.replace('["HCP_1200"]', '"HCP_1200"'), "advisory x: releases"),
    (ENTRY.replace('["HCP_1200"]', "[]"), "advisory x: releases"),
    (ENTRY.replace('summary = "s"\n', ""), "advisory x: 'summary' is missing"),
    (ENTRY.replace('"s"', '" "'), "advisory x: summary"),
    (ENTRY + "more = 1\n", "advisory x: more"),
    (ENTRY + "is_complete = 1\n", "advisory x: is_complete"),
    ("advisory = 3", "advisories"),
    ('[[qc_code]]\ncode = "A"\nsummary = "s"\ntouches = []\n', "qc_code A: touches"),
]


@pytest.mark.parametrize(("text", "words"), FAULTY, ids=range(len(FAULTY)))
def test_advisories_that_make_no_sense_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_advisories(text)


def test_one_entry_is_read() -> None:
    (advisory,) = parse_advisories(ENTRY).advisories
    assert (advisory.id, advisory.kind, advisory.is_complete) == ("x", Defect.WRONG, True)
    assert parse_advisories("").advisories == ()
