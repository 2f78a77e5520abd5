"""Releases: which prefix of a bucket holds a project's files, and what lies elsewhere there.

A file's release path is the same in all releases; a bucket may keep some folders under other names.
The bucket of Q1 has `Diffusion/` beside `T1w/`, where later releases have `T1w/Diffusion/`.
Source: listings of the buckets of 2013 and of 2019.
"""

from dataclasses import dataclass

from connectomedb.errors import AddressError
from connectomedb.hcp.paths import check_label, check_path, check_subject


@dataclass(frozen=True, slots=True)
class Release:
    """One release of subjects' files.

    Attributes:
        project: XNAT project, `HCP_Q1`.
        prefix: what stands before the subject in keys, without slashes at its ends, `q1`.
        moved: pairs of folders inside the subject, each ending in `/`: in release paths, and in the bucket.
    """

    project: str
    prefix: str
    moved: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if "/" in check_path(self.project):
            raise AddressError(f"Asked for the release of {self.project!r}, which is no project. Leave out the '/'.")
        if any(part.startswith(".") for part in check_path(self.prefix).split("/")):
            raise AddressError(f"Asked for the prefix {self.prefix!r}: names with a leading dot are ours.")

    @property
    def is_hcp(self) -> bool:
        """Whether it is one of HCP's own, whose subjects are six digits."""
        return self.project in RELEASES

    def check_subject(self, subject: str) -> str:
        """The label itself, if a subject of this release may have it. Raises AddressError."""
        return check_subject(subject, subject) if self.is_hcp else check_label(subject, subject)

    def to_bucket(self, path: str) -> str:
        """Path inside the subject, as the bucket and its `.xdlm` manifests have it. Raises AddressError."""
        for released, stored in self.moved:
            if path.startswith(released):
                return stored + path[len(released) :]
            if path.startswith(stored):
                raise AddressError(f"Asked for {path!r} of {self.project}: its release path begins with {released!r}.")
        return path

    def in_bucket(self, path: str) -> str:
        """A file or folder as the bucket has it, however it was spelled; for words of people, who may mean either."""
        for released, stored in self.moved:
            if f"{path}/".startswith(released):
                return (stored + path[len(released) :]).rstrip("/")
        return path

    def from_bucket(self, path: str) -> str:
        """Path inside the subject as a release path, given the bucket's. Raises AddressError."""
        for released, stored in self.moved:
            if path.startswith(stored):
                return released + path[len(stored) :]
            if path.startswith(released):
                raise AddressError(f"Asked for {path!r} in the bucket of {self.project}: there it is in {stored!r}.")
        return path


_KNOWN = (
    Release("HCP_Q1", "q1", (("T1w/Diffusion/", "Diffusion/"),)),
    Release("HCP_500", "HCP"),
    Release("HCP_900", "HCP_900"),
    Release("HCP_1200", "HCP_1200"),
    Release("HCP_Retest", "HCP_Retest"),
)
RELEASES: dict[str, Release] = {release.project: release for release in _KNOWN}
"""Project → release, where it is known."""


def release_of(project: str, prefix: str | None = None) -> Release:
    """The release of a project. Of an unknown project, the prefix is the project's own id.

    `prefix` overrides where the bucket keeps it; slashes at its ends are ignored. Raises AddressError.
    """
    known = RELEASES.get(project) or Release(project, project)
    return known if prefix is None else Release(project, prefix.strip("/"), known.moved)
