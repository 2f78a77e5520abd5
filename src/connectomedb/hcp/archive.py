"""Files as XNAT's archive has them: in a resource of an experiment.

    <project>/arc001/<experiment>/RESOURCES/<label>/<path>       below the archive's root
    /data/projects/<project>/subjects/<subject>/experiments/<experiment>/resources/<label>/files/<path>

A resource holds what one step of HCP's processing made: `rfMRI_REST1_LR_FIX`. Most files of a release lie in one;
most resources also hold intermediate files, which have no release path.
Source: the scripts that processed and packaged HCP's data.
"""

import re
from dataclasses import dataclass

from connectomedb.errors import AddressError
from connectomedb.hcp import to_archive, to_release
from connectomedb.hcp.layout import ReleasePath
from connectomedb.hcp.paths import check_file, check_path
from connectomedb.hcp.scans import Field
from connectomedb.xnat.address import Address, Level, format_address

_FOLDER = "arc001"
_RESOURCES = "RESOURCES"
_SHAPE = f"<project>/{_FOLDER}/<experiment>/{_RESOURCES}/<label>/<path>"
_EXPERIMENT = re.compile(rf"([0-9]{{6}})_({'|'.join(Field)})")
_RESOURCE_LEVELS = (Level.PROJECTS, Level.SUBJECTS, Level.EXPERIMENTS, Level.RESOURCES, Level.FILES)


@dataclass(frozen=True, slots=True)
class ArchivePath:
    """A file in a resource of an experiment. Raises AddressError for what cannot be one.

    Attributes:
        project: the project whose archive it is; may be another than the release's.
        session: label of the imaging experiment, `100307_3T`.
        label: label of the resource.
        path: clean path in the resource.
    """

    project: str
    session: str
    label: str
    path: str

    def __post_init__(self) -> None:
        for part in (self.project, self.label):
            if "/" in check_path(part):
                raise AddressError(
                    f"Asked for {part!r} in the archive: a project or a resource has no '/' in its name."
                )
        if not _EXPERIMENT.fullmatch(self.session):
            raise AddressError(
                f"Asked for {self.session!r} in the archive: an experiment there is called <subject>_3T, _7T or _MEG."
            )
        check_file(self.subject, self.path)

    @property
    def subject(self) -> str:
        """The subject's label, six digits."""
        return self.session[:6]

    @property
    def suffix(self) -> str:
        """What the experiment's label ends in: `3T`, `7T` or `MEG`."""
        return self.session[7:]

    def __str__(self) -> str:
        return format_archive_path(self)


def parse_archive_path(text: str) -> ArchivePath:
    """Read a path below the archive's root. Raises AddressError."""
    parts = check_path(text).split("/", 5)
    if len(parts) < 6 or parts[1] != _FOLDER or parts[3] != _RESOURCES:
        raise AddressError(f"Asked for {text!r}: a file of a resource is {_SHAPE}, below the archive's root.")
    project, _, session, _, label, path = parts
    return ArchivePath(project, session, label, path)


def format_archive_path(path: ArchivePath) -> str:
    """Write the path below the archive's root."""
    return "/".join((path.project, _FOLDER, path.session, _RESOURCES, path.label, path.path))


def parse_resource_address(address: Address) -> ArchivePath:
    """Read the address of a file in a resource of an experiment, given by labels. Raises AddressError."""
    asked = format_address(address)
    if address.listing is not None or tuple(step.level for step in address.steps) != _RESOURCE_LEVELS:
        raise AddressError(f"Asked for {asked}: it is no file in a resource of a subject's experiment.")
    project, subject, session, label, path = (step.id for step in address.steps)
    found = ArchivePath(project, session, label, path)
    if found.subject != subject:
        raise AddressError(f"Asked for {asked}: experiment {session} is not of subject {subject}.")
    return found


def resource_address(path: ArchivePath) -> Address:
    """The address of a file in a resource: of intermediate files too."""
    return (
        Address()
        .child(Level.PROJECTS, path.project)
        .child(Level.SUBJECTS, path.subject)
        .child(Level.EXPERIMENTS, path.session)
        .child(Level.RESOURCES, path.label)
        .child(Level.FILES, path.path)
    )


def archive_of(path: ReleasePath, project: str) -> ArchivePath:
    """Where the archive of `project` keeps a file of a release.

    A subject's archive may be that of an earlier release; which one, only the server can tell. Of files that several
    resources hold, it is the one which made them. Raises AddressError, saying why, for a file without
    a resource: manifests, release notes, MEG, and paths that no release has.
    """
    try:
        place = to_archive.place_of(path.subject, path.path)
    except LookupError as reason:
        raise AddressError(f"Asked where the archive keeps {path}: {reason}.") from None
    return ArchivePath(project, f"{path.subject}_{place.suffix}", place.label, place.path)


def has_resource(path: ReleasePath) -> bool:
    """Whether `archive_of` knows a place for the file; if not, ask for it by key or by CREST address.

    Raises AddressError for a path that no release has.
    """
    row = to_archive.rule_of(path.subject, path.path)
    if row.id == to_archive.UNKNOWN:
        raise AddressError(f"Asked where the archive keeps {path}: {row.reason}.")
    return not row.reason


def release_path_of(path: ArchivePath) -> ReleasePath:
    """What a file in a resource is called in a release.

    Raises AddressError, saying why, for intermediate files, the archive's own bookkeeping, and resources
    that HCP's processing does not make. Files which are not in the set that a release has are intermediate.
    """
    try:
        inside = to_release.inside_of(path.subject, path.suffix, path.label, path.path)
        place = to_archive.place_of(path.subject, inside)
    except LookupError as reason:
        raise AddressError(f"Asked for the release path of {path}: {reason}.") from None
    if place.suffix != path.suffix:
        raise AddressError(f"Asked for the release path of {path}: such files are of {path.subject}_{place.suffix}.")
    return ReleasePath(path.subject, inside)


def step_of(path: ArchivePath) -> int:
    """How late in the processing a file's resource was made, as a number that grows.

    Of two files with one release path, the later is the one released. Raises AddressError.
    """
    try:
        return to_release.step_of(path.subject, path.label)
    except LookupError as reason:
        raise AddressError(f"Asked when {path} was made: {reason}.") from None
