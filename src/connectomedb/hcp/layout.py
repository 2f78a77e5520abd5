"""One file of one subject, in all its spellings.

    release path   100307/T1w/Diffusion/data.nii.gz            what a file is called, wherever it lies
    key            HCP_1200/100307/T1w/Diffusion/data.nii.gz   in a bucket; in Q1: q1/100307/Diffusion/data.nii.gz
    CREST address  /data/projects/HCP_1200/subjects/100307/experiments/100307_CREST/
                       resources/100307_CREST/files/T1w/Diffusion/data.nii.gz

Keys and CREST addresses exist for every release path, both ways; `hcp.archive` knows the third place,
the resources of a session. Whatever is not one of these spellings is refused; nothing is guessed.
Source: listings of HCP's buckets; the CREST addresses published by users of ConnectomeDB.
"""

from dataclasses import dataclass

from connectomedb.errors import AddressError
from connectomedb.hcp.paths import check_file, check_own_file, check_path, check_subject
from connectomedb.hcp.release import Release
from connectomedb.xnat.address import Address, Level, format_address

CREST = "CREST"

_CREST_LEVELS = (Level.PROJECTS, Level.SUBJECTS, Level.EXPERIMENTS, Level.RESOURCES, Level.FILES)


@dataclass(frozen=True, slots=True)
class SubjectPath:
    """A file of a subject of any study, and its clean path inside the subject. Raises AddressError."""

    subject: str
    path: str

    def __post_init__(self) -> None:
        check_own_file(self.subject, self.path)

    def __str__(self) -> str:
        return f"{self.subject}/{self.path}"


class ReleasePath(SubjectPath):
    """A file of a subject of HCP (six digits). Raises AddressError."""

    __slots__ = ()

    def __post_init__(self) -> None:
        check_file(self.subject, self.path)


def path_of(release: Release, subject: str, path: str) -> SubjectPath:
    """A file of a release of HCP, or of a study that labels its subjects as it likes. Raises AddressError."""
    return ReleasePath(subject, path) if release.is_hcp else SubjectPath(subject, path)


def parse_release_path(text: str) -> ReleasePath:
    """Read `<subject>/<path>`. Raises AddressError, also when a bucket's prefix stands before it."""
    subject, slash, path = check_path(text).partition("/")
    if not slash:
        raise AddressError(f"Asked for {text!r}: it names no file inside a subject.")
    return ReleasePath(subject, path)


def format_release_path(path: ReleasePath) -> str:
    """Write `<subject>/<path>`."""
    return f"{path.subject}/{path.path}"


def parse_key(release: Release, key: str) -> ReleasePath:
    """Read the key of a file in the release's bucket. Raises AddressError.

    Markers of pseudo-directories, which end in `/`, are no files and are refused: skip them first.
    """
    return ReleasePath(*_split_key(release, key))


def parse_study_key(release: Release, key: str) -> SubjectPath:
    """As `parse_key`; in a study that is no release of HCP subjects may have other labels. Raises AddressError."""
    return path_of(release, *_split_key(release, key))


def _split_key(release: Release, key: str) -> tuple[str, str]:
    """Subject, and path inside it."""
    prefix = release.prefix + "/"
    if not key.startswith(prefix):
        raise AddressError(f"Asked for key {key!r}: keys of {release.project} begin with {prefix!r}.")
    subject, slash, path = key[len(prefix) :].partition("/")
    if not slash:
        raise AddressError(f"Asked for key {key!r}: it names no file inside a subject.")
    return subject, release.from_bucket(path)


def format_key(release: Release, path: SubjectPath) -> str:
    """Write the key of a file in the release's bucket. Raises AddressError for a path that is none there."""
    return f"{release.prefix}/{path.subject}/{release.to_bucket(path.path)}"


def parse_crest(address: Address) -> tuple[str, ReleasePath]:
    """Project and release path of a CREST address, whose three subject labels must agree. Raises AddressError."""
    asked = format_address(address)
    if address.listing is not None or tuple(step.level for step in address.steps) != _CREST_LEVELS:
        raise AddressError(f"Asked for {asked}: it is no file of a CREST resource.")
    project, subject, experiment, resource, path = (step.id for step in address.steps)
    check_subject(subject, asked)
    wanted = crest_label(subject)
    for label in (experiment, resource):
        if label != wanted:
            raise AddressError(
                f"Asked for {asked}: {label!r} disagrees with subject {subject}, whose label is {wanted!r}."
            )
    return project, ReleasePath(subject, path)


def format_crest(project: str, path: SubjectPath) -> Address:
    """The CREST address of a file: a synthetic resource which shows the subject's whole release tree."""
    return crest_resource(project, path.subject).child(Level.FILES, path.path)


def crest_resource(project: str, subject: str) -> Address:
    """The address of a subject's CREST resource."""
    label = crest_label(subject)
    return (
        Address()
        .child(Level.PROJECTS, project)
        .child(Level.SUBJECTS, subject)
        .child(Level.EXPERIMENTS, label)
        .child(Level.RESOURCES, label)
    )


def crest_label(subject: str) -> str:
    """Label of a subject's CREST experiment, and of the one resource in it: `100307_CREST`."""
    return f"{subject}_{CREST}"
