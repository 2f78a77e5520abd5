"""A file of a BIDS data set, and where XNAT's hierarchy has it.

    key          my-bids/sub-01/ses-pre/func/sub-01_ses-pre_task-rest_bold.nii.gz
    subject      01
    path         ses-pre/func/sub-01_ses-pre_task-rest_bold.nii.gz      inside the subject
    experiment   01_ses-pre; 01_MR where the subject has no sessions
    scan         task-rest_bold, of the type bold
    resource     func: one per folder of data; what lies beside those folders of a session is in BIDS

What lies outside of the subjects (`dataset_description.json`, sidecars that all inherit, phenotypes) belongs to the
project; `derivatives` and `sourcedata` are data sets of their own, and are left out.
Source: BIDS specification 1.10, common principles.
"""

import re
from dataclasses import dataclass

from connectomedb.errors import AddressError
from connectomedb.hcp.layout import SubjectPath

RESOURCE = "BIDS"
"""The resource of what lies in no folder of data: of the session, or of the project."""

APART = ("derivatives", "sourcedata", "code")
"""Folders that are data sets of their own, or no data."""

_SUBJECT = re.compile(r"sub-([A-Za-z0-9]+)/(.+)", re.DOTALL)
_SESSION = re.compile(r"ses-([A-Za-z0-9]+)/(.+)", re.DOTALL)
_OWNER = re.compile(r"(?:\A|/)sub-([A-Za-z0-9]+)(?=[_/.]|\Z)")
_ENTITIES = re.compile(r"sub-[A-Za-z0-9]+_(?:ses-[A-Za-z0-9]+_)?")
_SCANNED = frozenset({"anat", "func", "dwi", "fmap", "perf"})
_IMAGES = (".nii", ".nii.gz")


@dataclass(frozen=True, slots=True)
class Scan:
    """What was acquired: a name that no other scan of the session has, and its type."""

    name: str
    type: str


class BidsPath(SubjectPath):
    """A file below `sub-LABEL/`. Raises AddressError, also when it is named after another subject."""

    __slots__ = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for owner in _OWNER.findall(self.path):
            if owner != self.subject:
                raise AddressError(
                    f"Asked for {self.path!r} of subject {self.subject}: it is named after another subject, {owner}."
                )

    @property
    def session(self) -> str:
        """Its session; empty where there is none."""
        found = _SESSION.fullmatch(self.path)
        return found[1] if found else ""

    @property
    def experiment(self) -> str:
        """Label of the experiment that holds it; empty of what lies above the sessions, in no folder of data."""
        if not self.session and "/" not in self.path:
            return ""
        return f"{self.subject}_ses-{self.session}" if self.session else f"{self.subject}_MR"

    @property
    def resource(self) -> tuple[str, str]:
        """Label of the resource of that experiment, and the path in it."""
        folder, slash, name = self._inside.partition("/")
        return (folder, name) if slash else (RESOURCE, folder)

    @property
    def scan(self) -> Scan | None:
        """The scan that it is an image of."""
        folder, name = self.resource
        ending = next((ending for ending in reversed(_IMAGES) if name.endswith(ending)), None)
        entities = _ENTITIES.match(name)
        if folder not in _SCANNED or ending is None or entities is None or "/" in name:
            return None
        stem = name[entities.end() : -len(ending)]
        return Scan(stem, stem.rpartition("_")[2])

    @property
    def _inside(self) -> str:
        found = _SESSION.fullmatch(self.path)
        return found[2] if found else self.path


def parse_bids(inside: str) -> BidsPath | None:
    """A file by its path inside the data set; None of one that belongs to no subject. Raises AddressError."""
    found = _SUBJECT.fullmatch(inside)
    return BidsPath(found[1], found[2]) if found else None
