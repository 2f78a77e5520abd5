"""Words about a funnel, and what is known against locked files."""

import pytest

from connectomedb.cohort.audit import audit_lockfile
from connectomedb.cohort.explanation import Explanation, concerned
from connectomedb.cohort.funnel import Funnel, Step
from connectomedb.cohort.lockfile import LockedFile, Lockfile
from connectomedb.errors import ConfigError
from connectomedb.hcp.advisories import Advisories, Advisory, Defect

FUNNEL = Funnel(10, (Step("A >= 2", 10, 7, 1, 2), Step("B = 'x'", 7, 7, 0, 0)))
WITHDRAWN = Advisory("w", Defect.WITHDRAWN, ("100307",), ("HCP_Q1",), ("T1w/**",), "Taken back", "us")


def test_the_funnel_and_the_methods_keep_missing_apart_from_failing() -> None:
    explanation = Explanation("A >= 2 and B = 'x'", "HCP_Q1", FUNNEL)
    assert list(explanation.lines()) == [
        "10 subjects of HCP_Q1",
        "     7  A >= 2   failing 1, missing 2",
        "     7  B = 'x'  failing 0, missing 0",
    ]
    methods = explanation.methods()
    assert "Of 10 subjects in HCP_Q1, 7 were included" in methods
    assert "A >= 2 (1 did not meet it, 2 lacked the value); B = 'x' (none were excluded)" in methods


def test_without_criteria_all_are_included() -> None:
    assert Explanation("", "", Funnel(4, ())).methods() == "All 4 subjects were included."


def test_the_snippet_is_python_that_holds_no_secret() -> None:
    snippet = Explanation("A = 'it''s'", "P", FUNNEL).python("https://db.example.org")
    compile(snippet, "snippet", "exec")
    assert "password" not in snippet.replace("user and password from the environment", "")


def test_advisories_come_with_those_they_concern() -> None:
    assert concerned([WITHDRAWN], ["100307", "103515"], "HCP_Q1") == ((WITHDRAWN, ("100307",)),)
    assert concerned([WITHDRAWN], ["100307"], "HCP_1200") == ()


def lock(**files: dict[str, LockedFile]) -> Lockfile:
    return Lockfile("HCP_Q1", subjects=("100307", "103515"), files={name[1:]: some for name, some in files.items()})


def test_an_audit_names_the_locked_files_that_an_advisory_speaks_of() -> None:
    there = {"T1w/a.nii.gz": LockedFile(1), "MNINonLinear/b.nii.gz": LockedFile(2)}
    found = audit_lockfile(lock(_100307=there, _103515=there), Advisories((WITHDRAWN,)))
    assert [(one.subject, one.paths) for one in found] == [("100307", ("T1w/a.nii.gz",))]
    assert audit_lockfile(lock(_103515=there), Advisories((WITHDRAWN,))) == []


def test_coded_subjects_cannot_be_audited() -> None:
    with pytest.raises(ConfigError, match="coded"):
        audit_lockfile(Lockfile("HCP_Q1", subjects=("S1",), is_coded=True))
