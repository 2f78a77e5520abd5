import secrets
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.cohort.lock_diff import Changed, LockDiff, diff_lockfiles, format_diff
from connectomedb.cohort.lockfile import Files, LockedFile, Lockfile, format_lockfile, parse_lockfile
from connectomedb.cohort.subject_key import (
    SECRET_BYTES,
    SubjectKey,
    code_lockfile,
    fits_seal,
    format_subject_key,
    new_subject_key,
    parse_subject_key,
    plain_path,
)
from connectomedb.errors import ConfigError
from connectomedb.hcp.advisories import Defect

MD5, OTHER = "0123456789abcdef0123456789abcdef", "f" * 32
T1, RAW = "T1w/T1w_acpc_dc.nii.gz", "unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz"
STUDY = Lockfile(
    release="HCP_1200",
    predicate="PMAT24_A_CR >= 20 and Gender = 'F'",
    patterns=("unprocessed/3T/**", "T1w/*.nii.gz"),
    subjects=("103515", "100307"),
    files={"100307": {RAW: LockedFile(7, MD5), T1: LockedFile(1234)}},
    dictionary="sha256:00",
)
TEXT = f'''# Which subjects and which files, and what they were: cdb brings it back, and says what differs.
format = 1
release = "HCP_1200"
dictionary = "sha256:00"
predicate = "PMAT24_A_CR >= 20 and Gender = 'F'"
coded = false
patterns = [
  "T1w/*.nii.gz",
  "unprocessed/3T/**",
]
subjects = [
  "100307",
  "103515",
]

[files.100307]
"T1w/T1w_acpc_dc.nii.gz" = {{ size = 1234 }}
"unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz" = {{ size = 7, md5 = "{MD5}" }}
'''


def test_a_lockfile_is_plain_text_in_order() -> None:
    assert format_lockfile(STUDY) == TEXT
    assert parse_lockfile(TEXT) == STUDY


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:% ."), min_size=1, max_size=6)
PATHS = st.lists(NAMES.filter(lambda name: not name[:6].isdecimal()), min_size=1, max_size=3).map("/".join)
LOCKED = st.builds(
    LockedFile, st.integers(0, 1 << 50), st.none() | st.binary(min_size=16, max_size=16).map(lambda b: b.hex())
)
SUBJECTS = st.integers(100_000, 999_999).map(str)


@st.composite
def studies(draw: st.DrawFn) -> Lockfile:
    subjects = draw(st.lists(SUBJECTS, max_size=3))
    files: Files = {
        subject: found for subject in subjects if (found := draw(st.dictionaries(PATHS, LOCKED, max_size=3)))
    }
    patterns = draw(st.lists(st.sampled_from(["T1w/**", "*.txt", "**/{a,b}/"])))
    known = draw(st.sets(st.sampled_from(list(Defect))).map(tuple))
    predicate = draw(st.sampled_from(["", "Whole > 3", "Word = 'it''s \"x\" \\'"]))
    dictionary = draw(st.text("ab\x7f\n\t\u2019"))
    return Lockfile("HCP_1200", predicate, tuple(patterns), tuple(subjects), files, dictionary, excluded=known)


@given(studies())
def test_a_lockfile_comes_back_equal_and_is_toml(study: Lockfile) -> None:
    text = format_lockfile(study)
    assert parse_lockfile(text) == study
    assert format_lockfile(parse_lockfile(text)) == text
    assert tomllib.loads(text)["release"] == study.release


FAULTY = [
    ("", "format is None"),
    ("format = 2\n", "newer"),
    ("format = true\n", "newer"),
    ("format = 1", "release"),
    ("not toml", "no TOML"),
    (TEXT + "[more]\nx = 1\n", "more"),
    (TEXT.replace('"HCP_1200"', '"../x"'), "release"),
    (TEXT.replace('"HCP_1200"', "3"), "release"),
    (TEXT.replace(">= 20", ">="), "predicate"),
    (TEXT.replace("T1w/*.nii", "T1w/{*.nii"), "no glob"),
    (TEXT.replace('  "103515",\n', "  103515,\n"), "subjects"),
    (TEXT.replace('  "103515",\n', '  "10351",\n').replace("100307", "10030"), "six digits|label"),
    (TEXT.replace('  "100307",\n', ""), "100307, who is not among"),
    (TEXT.replace('"T1w/T1w_acpc', '"../T1w_acpc'), "dots"),
    (TEXT.replace("100307_3T", "103515_3T"), "another subject"),
    (TEXT.replace("size = 1234", 'size = "1234"'), "T1w_acpc_dc.*number of bytes"),
    (TEXT.replace("size = 1234", "size = true"), "T1w_acpc_dc.*number of bytes"),
    (TEXT.replace("size = 1234", "size = -1"), "T1w_acpc_dc.*-1"),
    (TEXT.replace("size = 1234", "sise = 1234"), "T1w_acpc_dc.*Write"),
    (TEXT.replace("{ size = 1234 }", "{}"), "T1w_acpc_dc.*size"),
    (TEXT.replace("{ size = 1234 }", "1234"), "T1w_acpc_dc.*Write"),
    (TEXT.replace(MD5, MD5[1:]), "md5"),
    (TEXT.replace(f'"{MD5}"', "3"), "no text"),
    (TEXT.replace("coded = false", "coded = true"), "coded id"),
    (TEXT.replace("coded = false", "coded = 1"), "true or false"),
    (TEXT.replace("size = 1234", f'size = 1234, seal = "{MD5 * 2}"'), "seal"),
    (TEXT.replace("size = 1234", f'seal = "{MD5 * 2}"'), "seals"),
    (TEXT[: TEXT.index("[files")] + "files = 3\n", "files"),
    (TEXT[: TEXT.index("[files")] + "[files]\n100307 = 3\n", "100307"),
]


@pytest.mark.parametrize(("text", "words"), FAULTY, ids=range(len(FAULTY)))
def test_what_is_no_lockfile_is_refused_with_the_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_lockfile(text, "study.cdb.toml")
    assert "study.cdb.toml" in str(caught.value)


def changed(**facts: object) -> Lockfile:
    return replace(STUDY, **facts)  # type: ignore[arg-type]  # names of its attributes


DIFFS: list[tuple[Lockfile, LockDiff, list[str]]] = [
    (STUDY, LockDiff(), []),
    (
        changed(release="HCP_900", predicate=""),
        LockDiff(settings=(Changed("release", "HCP_1200", "HCP_900"), Changed("predicate", STUDY.predicate, ""))),
        ["~ release: HCP_1200 → HCP_900", f"~ predicate: {STUDY.predicate} → none"],
    ),
    (
        changed(excluded=("wrong", "unusable")),
        LockDiff(settings=(Changed("without", "", "unusable, wrong"),)),
        ["~ without: none → unusable, wrong"],
    ),
    (
        changed(patterns=("T1w/*.nii.gz", "T1w/*.txt")),
        LockDiff(patterns_added=("T1w/*.txt",), patterns_removed=("unprocessed/3T/**",)),
        ["- pattern unprocessed/3T/**", "+ pattern T1w/*.txt"],
    ),
    (
        changed(
            subjects=("100307", "200614"), files={"100307": {T1: LockedFile(1234, MD5)}, "200614": {T1: LockedFile(1)}}
        ),
        LockDiff(
            subjects_added=("200614",),
            subjects_removed=("103515",),
            files_added=(f"200614/{T1}",),
            files_removed=(f"100307/{RAW}",),
            files_changed=(Changed(f"100307/{T1}", "1234 bytes, no checksum", f"1234 bytes, md5 {MD5}"),),
        ),
        [
            "- subject 103515",
            "+ subject 200614",
            f"- file 100307/{RAW}",
            f"+ file 200614/{T1}",
            f"~ file 100307/{T1}: 1234 bytes, no checksum → 1234 bytes, md5 {MD5}",
        ],
    ),
]


@pytest.mark.parametrize(("after", "diff", "lines"), DIFFS, ids=range(len(DIFFS)))
def test_what_differs_is_named(after: Lockfile, diff: LockDiff, lines: list[str]) -> None:
    found = diff_lockfiles(STUDY, after)
    assert found == diff
    assert list(format_diff(found)) == lines
    assert found.is_empty is (after == STUDY)
    assert found.same_bytes is (STUDY.files == after.files)


@given(studies(), studies())
def test_a_diff_read_backwards_is_the_other_diff(one: Lockfile, other: Lockfile) -> None:
    there, back = diff_lockfiles(one, other), diff_lockfiles(other, one)
    assert (there.subjects_added, there.files_added) == (back.subjects_removed, back.files_removed)
    assert diff_lockfiles(one, one).is_empty
    assert there.is_empty is (format_lockfile(one) == format_lockfile(other))


def a_key(*subjects: str) -> SubjectKey:
    return new_subject_key(subjects, lambda: secrets.token_hex(SECRET_BYTES))


KEY = a_key("100307", "103515")


def test_a_coded_lockfile_names_no_subject_and_no_image() -> None:
    coded = code_lockfile(STUDY, KEY)
    text = format_lockfile(coded)
    for told in ("100307", "103515", MD5, "1234", KEY.subjects["100307"].secret):
        assert told not in text
    assert set(coded.subjects) == {"S0001", "S0002"}
    assert "unprocessed/3T/T1w_MPR1/{subject}_3T_T1w_MPR1.nii.gz" in text
    assert parse_lockfile(text) == coded


def test_who_has_the_key_can_check_a_file_against_its_seal() -> None:
    coded = code_lockfile(STUDY, KEY)
    subject = KEY.subjects["100307"]
    ((path, locked),) = [(path, locked) for _, path, locked in coded.each_file() if path.startswith("unprocessed")]
    assert KEY.label(subject.id) == "100307"
    assert plain_path("100307", path) == RAW
    assert fits_seal(locked, subject, path, 7, MD5)
    assert not fits_seal(locked, subject, path, 8, MD5)
    assert not fits_seal(locked, subject, path, 7, OTHER)
    assert not fits_seal(locked, subject, T1, 7, MD5)
    assert not fits_seal(locked, KEY.subjects["103515"], path, 7, MD5)
    assert not fits_seal(LockedFile(7, MD5), subject, path, 7, MD5)


def test_the_numbers_of_coded_ids_say_nothing_about_labels() -> None:
    labels = [str(label) for label in range(100_000, 100_040)]
    orders = {
        tuple(sorted(labels, key=lambda label: key.subjects[label].id)) for key in (a_key(*labels), a_key(*labels))
    }
    assert len(orders) == 2


def test_a_subject_key_comes_back_equal_and_hides_its_secrets() -> None:
    assert parse_subject_key(format_subject_key(KEY)) == KEY
    assert format_subject_key(KEY).splitlines()[0] == "Coded ID,HCP ID,Secret"
    assert KEY.subjects["100307"].secret not in repr(KEY)


UNCODED = [
    (changed(predicate="Subject like '10*'"), "names one"),
    (changed(patterns=("T1w/{100307,x}/**",)), "names one"),
    (changed(predicate="Subject = 100307"), "names one"),
    (changed(patterns=("unprocessed/3T/*/100307_3T_*",)), "names one"),
    (changed(subjects=("100307", "103515", "200614")), "lacks 200614"),
]


@pytest.mark.parametrize(("study", "words"), UNCODED)
def test_what_would_name_a_subject_is_not_coded(study: Lockfile, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        code_lockfile(study, KEY)


SECRET = "ab" * SECRET_BYTES
KEYS = [
    ("", "first line"),
    ("Coded ID,HCP ID\n", "first line"),
    ("Coded ID,HCP ID,Secret\nS1,100307\n", "line 2: 2 cells"),
    (f"Coded ID,HCP ID,Secret\nS1,10 30,{SECRET}\n", "line 2: .*label"),
    (f"Coded ID,HCP ID,Secret\nS 1,100307,{SECRET}\n", "line 2: .*coded id"),
    (f"Coded ID,HCP ID,Secret\n100307,100307,{SECRET}\n", "line 2: .*coded id"),
    (f"Coded ID,HCP ID,Secret\nS1,100307,{SECRET[:-1]}\n", "line 2: .*secret of S1"),
    (f"Coded ID,HCP ID,Secret\nS1,100307,{SECRET}\nS2,100307,{SECRET}\n", "line 3: 100307 occurs twice"),
    (f"Coded ID,HCP ID,Secret\nS1,100307,{SECRET}\nS1,103515,{SECRET}\n", "same coded id"),
]


@pytest.mark.parametrize(("text", "words"), KEYS, ids=range(len(KEYS)))
def test_what_is_no_subject_key_is_refused_without_its_secrets(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        parse_subject_key(text)
    assert "abab" not in str(caught.value)


def test_a_key_knows_only_its_own_ids() -> None:
    with pytest.raises(ConfigError, match="S9999"):
        KEY.label("S9999")
