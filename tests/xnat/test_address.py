import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import AddressError
from connectomedb.xnat.address import LEVELS, Address, Level, Step, format_address, parse_address, parse_file_uri

S, F = Step, Level.FILES

READABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
IDENTIFIERS = st.text(READABLE, min_size=1, max_size=12).filter(lambda text: text not in (".", ".."))
FILE_PARTS = st.text(READABLE, min_size=1, max_size=8).map(lambda text: text.replace("/", "_"))
FILE_PATHS = st.lists(FILE_PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=5).map("/".join)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    steps: list[Step] = []
    level: Level | None = None
    for _ in range(draw(st.integers(0, 6))):
        if not LEVELS[level]:
            break
        level = draw(st.sampled_from(LEVELS[level]))
        folder = draw(st.sampled_from(["", "/"])) if level is F else ""
        steps.append(Step(level, draw(FILE_PATHS) + folder if level is F else draw(IDENTIFIERS)))
    below = LEVELS[level]
    return Address(tuple(steps), draw(st.sampled_from([None, *below])) if below else None)


@given(addresses())
def test_an_address_comes_back_equal(address: Address) -> None:
    assert parse_address(format_address(address)) == address


@given(addresses())
def test_a_written_address_is_plain_ascii_without_query_or_fragment(address: Address) -> None:
    written = format_address(address)
    assert written.isascii()
    assert not set(written) & set("?#\\ \n")
    assert written == "/data" or written.startswith("/data/")


@given(addresses())
def test_the_readable_form_of_a_file_path_is_read_back_too(address: Address) -> None:
    assert parse_address(format_address(address, raw_file_path=True)) == address


@given(FILE_PATHS)
def test_a_listed_file_is_the_file_that_was_written(path: str) -> None:
    address = Address().child(Level.EXPERIMENTS, "E1").child(Level.RESOURCES, "105").child(Level.FILES, path)
    assert parse_file_uri(format_address(address, raw_file_path=True)) == path


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_as_one(text: str) -> None:
    try:
        address = parse_address("/data/" + text)
    except AddressError:
        return
    assert parse_address(format_address(address)) == address


SUBJECT = (S(Level.PROJECTS, "HCP_1200"), S(Level.SUBJECTS, "100307"))
CREST = (*SUBJECT, S(Level.EXPERIMENTS, "100307_CREST"), S(Level.RESOURCES, "100307_CREST"))

IN_THE_WILD = [
    ("/data/projects", Address((), Level.PROJECTS)),
    ("/data", Address()),
    ("/data/", Address()),
    ("", Address()),
    ("/REST/projects/HCP_1200/subjects/100307", Address(SUBJECT)),
    ("/data/archive/projects/HCP_1200/subjects/100307/", Address(SUBJECT)),
    ("projects/HCP_1200/subjects", Address(SUBJECT[:1], Level.SUBJECTS)),
    (
        "/data/archive/projects/HCP_1200/subjects/100307/experiments/100307_CREST/resources/100307_CREST"
        "/files/T1w/T1w_acpc_dc_restore_1.25.nii.gz",
        Address((*CREST, S(F, "T1w/T1w_acpc_dc_restore_1.25.nii.gz"))),
    ),
    (
        "/REST/projects/HCP_Resources/resources/Published/files/x.zip",
        Address((S(Level.PROJECTS, "HCP_Resources"), S(Level.RESOURCES, "Published"), S(F, "x.zip"))),
    ),
    (
        "/data/experiments/E1/scans/T1w%5BSLASH%5DT2w/resources/NIFTI/files",
        Address(
            (S(Level.EXPERIMENTS, "E1"), S(Level.SCANS, "T1w[SLASH]T2w"), S(Level.RESOURCES, "NIFTI")), Level.FILES
        ),
    ),
    ("/data/projects/P/files/dir/", Address((S(Level.PROJECTS, "P"), S(F, "dir/")))),
    ("/data/projects/P/files/", Address((S(Level.PROJECTS, "P"),), Level.FILES)),
    ("/data/projects/P/files/a%20b/c+d%2Be", Address((S(Level.PROJECTS, "P"), S(F, "a b/c+d+e")))),
]


@pytest.mark.parametrize(("path", "address"), IN_THE_WILD, ids=[path or "empty" for path, _ in IN_THE_WILD])
def test_paths_seen_in_the_wild_are_read(path: str, address: Address) -> None:
    assert parse_address(path) == address


@pytest.mark.parametrize(
    "path",
    [
        "/data/projekts/P",
        "/data/projects/P/scans/1",
        "/data/subjects/S/projects",
        "/data/projects//subjects",
        "/data/projects/../users",
        "/data/projects/%2e%2e/subjects",
        "/data/projects/P%00/subjects",
        "/data/projects/P/files/../../etc/passwd",
        "/data/projects/P/files/a/%2e%2e/%2e%2e/b",
        "/data/projects/P/files//etc/passwd",
        "/data/projects/P/files/a//b",
        "/data/projects/P/files/a%2F%2Fb",
        "/data/projects/P/files/./a",
        "/data/projects/P/files/a%00.txt",
        "https://elsewhere.example/data/projects/P",
    ],
)
def test_what_climbs_or_is_no_level_is_refused(path: str) -> None:
    with pytest.raises(AddressError):
        parse_address(path)


@pytest.mark.parametrize("id", ["", ".", "..", "a\x00b", "\ud800"])
def test_a_step_needs_an_identifier_that_names_something(id: str) -> None:
    with pytest.raises(AddressError):
        Address().child(Level.PROJECTS, id)


@pytest.mark.parametrize("path", ["../x", "a/../b", "/etc/passwd", "a//b", "//", "./a", "a/."])
def test_a_file_cannot_leave_its_resource(path: str) -> None:
    with pytest.raises(AddressError):
        Address(CREST).child(Level.FILES, path)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/data/experiments/E1/resources/105/files/T1w/a.nii.gz", "T1w/a.nii.gz"),
        ("/data/experiments/E1/resources/105/files/files/files/a", "files/files/a"),
        ("/data/experiments/E1/resources/105/files/a b+c.txt", "a b+c.txt"),
        ("/data/experiments/E1/resources/105/files/100%25.txt%3F", "100%.txt?"),
    ],
)
def test_the_path_of_a_listed_file_is_what_follows_the_first_files(uri: str, path: str) -> None:
    assert parse_file_uri(uri) == path


@pytest.mark.parametrize("uri", ["", "/data/x", "/x/files/", "/x/files/../y", "/x/files//etc", "/x/files/%2e%2e/y"])
def test_a_listed_file_that_names_no_path_or_leaves_is_refused(uri: str) -> None:
    with pytest.raises(AddressError):
        parse_file_uri(uri)


def test_levels_stand_only_where_the_table_says() -> None:
    project = Address().child(Level.PROJECTS, "P")
    assert project.list(Level.SUBJECTS) == Address(project.steps, Level.SUBJECTS)
    with pytest.raises(AddressError, match="Below projects stands subjects, experiments, resources, files"):
        project.child(Level.SCANS, "1")
    with pytest.raises(AddressError, match="below the listing"):
        project.list(Level.SUBJECTS).child(Level.SUBJECTS, "S")


def test_parts_of_an_address_are_found_by_level() -> None:
    address = Address(CREST)
    assert address.get(Level.SUBJECTS) == "100307"
    assert address.get(Level.SCANS) is None
    assert address.last == CREST[-1]
    assert Address().last is None
