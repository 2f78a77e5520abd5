"""The objects of an XNAT, level by level: an address and verbs. Making one sends nothing.

    Project ── Subject ── Experiment ── Scan, Assessor, Reconstruction
       └─ each of them may have ── Resource ── File

Plural nouns are listings, sent when iterated; what comes out of one knows its row of it. Below a project the
identifier in an address may be the label or the accession ID, elsewhere only the ID.
"""

from pathlib import Path
from typing import NamedTuple

from connectomedb.client.files import File, Resource, request_errors
from connectomedb.client.handle import Handle, Listing
from connectomedb.client.missing import explain, explained
from connectomedb.client.people import People
from connectomedb.client.subject_keys import SubjectKeys
from connectomedb.client.terms import ProjectTerms
from connectomedb.errors import AddressError, NotFound, RequestError
from connectomedb.hcp.paths import check_path
from connectomedb.hcp.release import release_of
from connectomedb.mirror.survey import shorten
from connectomedb.stores.xnat import XnatStore
from connectomedb.xnat.address import Level


class Entry(NamedTuple):
    """A name in a folder; folders end in `/` and have no size (bytes)."""

    name: str
    size: int | None


class _WithResources(Handle):
    """An object that keeps folders of files."""

    def resource(self, id: str) -> Resource:
        """A resource by label or number."""
        return self._one(Resource, id)

    def resources(self, pattern: str = "*") -> Listing[Resource]:
        """The resources whose label is like `pattern`; one request."""
        return self._many(Resource, pattern)


class Scan(_WithResources):
    """One scan of a session; its ID is also its label."""

    level = Level.SCANS
    label_column = "ID"
    columns = ("ID", "type", "quality", "series_description", "xsiType")


class Reconstruction(_WithResources):
    """One reconstructed image of a session; its ID is also its label."""

    level = Level.RECONSTRUCTIONS
    label_column = "ID"
    columns = ("ID", "type")


class Assessor(_WithResources):
    """One assessment of a session, an experiment of its own."""

    level = Level.ASSESSORS
    columns = ("ID", "label", "xsiType")


class Experiment(_WithResources):
    """One experiment: an imaging session, or what else was measured on a subject."""

    level = Level.EXPERIMENTS
    columns = ("ID", "label", "xsiType", "date")

    def scan(self, id: str) -> Scan:
        """A scan by ID."""
        return self._one(Scan, id)

    def scans(self, pattern: str = "*") -> Listing[Scan]:
        """The scans whose ID is like `pattern`; one request."""
        return self._many(Scan, pattern)

    def assessor(self, id: str) -> Assessor:
        """An assessor by label or ID."""
        return self._one(Assessor, id)

    def assessors(self, pattern: str = "*") -> Listing[Assessor]:
        """The assessors whose label or ID is like `pattern`; one request."""
        return self._many(Assessor, pattern)

    def reconstruction(self, id: str) -> Reconstruction:
        """A reconstruction by ID."""
        return self._one(Reconstruction, id)

    def reconstructions(self, pattern: str = "*") -> Listing[Reconstruction]:
        """The reconstructions whose ID is like `pattern`; one request."""
        return self._many(Reconstruction, pattern)


class _WithExperiments(_WithResources):
    """An object that has experiments."""

    def experiment(self, id: str) -> Experiment:
        """An experiment by label or ID."""
        return self._one(Experiment, id)

    def experiments(self, pattern: str = "*") -> Listing[Experiment]:
        """The experiments whose label or ID is like `pattern`; one request."""
        return self._many(Experiment, pattern)


class Subject(_WithExperiments):
    """One subject of a project."""

    level = Level.SUBJECTS
    columns = ("ID", "label")

    def files(self, path: str = "") -> list[Path]:
        """Local paths of the subject's release files at or below `path`, fetched first where they are missing.

        They lie in the mirror that the Interface was given, else in one of its own. All on disk already: no
        request is made.

        Args:
            path: inside the subject, like `T1w` or `MNINonLinear/Results/tfMRI_MOTOR_LR`; empty for all of it.
        Returns: sorted, complete and verified; never a path that does not exist.
        Raises: NotFound when project, subject or path name nothing (it says what is there); MirrorIncomplete,
            StoreError, AddressError.
        """
        try:
            return self._site.mirror().files(self._six_digits(), path, project=self._project())
        except NotFound as fault:
            raise self._better(fault) from fault

    def list_level(self, path: str = "") -> list[Entry]:
        """What stands directly below `path` among the subject's release files on the server; one request.

        Args:
            path: a folder inside the subject, as for `files`; empty for the top.
        Raises: NotFound when there is nothing, saying what is there; AddressError for `..` and the like.
        """
        folder = f"{check_path(path.strip('/'))}/" if path.strip("/") else ""
        entries = self._entries(folder)
        if not entries:
            what = f"Asked {self._site.connection.name} for {folder or 'files'} of {self.uri}. There is no such folder."
            raise NotFound(f"{what}{self._nearest(folder)}", method="GET", address=self.uri)
        return entries

    def _entries(self, folder: str) -> list[Entry]:
        """What stands directly below a folder, which is empty or ends in `/`; one request."""
        release = release_of(self._project())
        top = f"{release.prefix}/{self._six_digits()}/{folder}"
        with explained(self._site.connection, self.address), request_errors():
            level = XnatStore(self._site.connection, release).list_level(top)
        entries = [Entry(prefix, None) for prefix in level.prefixes]
        entries += [Entry(info.key, info.size) for info in level.objects]
        return sorted(Entry(entry.name.removeprefix(top), entry.size) for entry in entries)

    def _nearest(self, folder: str) -> str:
        """A sentence about the nearest folder above that holds anything; empty when none does."""
        while folder:
            folder = f"{above}/" if (above := folder.rstrip("/").rpartition("/")[0]) else ""
            if names := [entry.name for entry in self._entries(folder)]:
                return f" {folder or self.given} holds: {shorten(names)}."
        return ""

    def _project(self) -> str:
        project = self.address.get(Level.PROJECTS)
        if project is None:
            raise AddressError(f"Asked for files of {self.uri}. Step down from the project whose release is meant.")
        return project

    def _six_digits(self) -> str:
        """The label, which names the subject in a release; asked for when it may be an accession ID that was given."""
        is_label = len(self.given) == 6 and self.given.isascii() and self.given.isdecimal()
        return self.given if is_label else self.label()

    def _better(self, fault: NotFound) -> NotFound:
        """The fault itself, or that already the project or subject is missing on the server, if it can be asked."""
        try:
            explanation = explain(self._site.connection, self.address)
        except RequestError:
            return fault
        return fault if explanation is None else NotFound(explanation, method=fault.method, address=self.uri)


class Project(_WithExperiments):
    """One project."""

    level = Level.PROJECTS
    label_column = "ID"
    columns = ("ID", "name")

    @property
    def terms(self) -> ProjectTerms:
        """The project's data-use terms; nothing is sent."""
        return ProjectTerms(self._site.connection, self.uri, self.given)

    @property
    def subject_keys(self) -> SubjectKeys:
        """What publications call the project's subjects; nothing is sent."""
        return SubjectKeys(self._site.connection, self.uri)

    def subject(self, id: str) -> Subject:
        """A subject by label or ID."""
        return self._one(Subject, id)

    def subjects(self, pattern: str = "*") -> Listing[Subject]:
        """The subjects whose label or ID is like `pattern`; one request."""
        return self._many(Subject, pattern)

    def users(self) -> list[str]:
        """Logins of all who are in the project; one request."""
        return self._people.logins()

    def owners(self) -> list[str]:
        """Logins of those who hold all rights in the project; one request."""
        return self._people.logins("Owners")

    def members(self) -> list[str]:
        """Logins of those who may read and edit; one request."""
        return self._people.logins("Members")

    def collaborators(self) -> list[str]:
        """Logins of those who may read; one request."""
        return self._people.logins("Collaborators")

    def user_role(self, login: str) -> str:
        """`owner`, `member` or `collaborator`; one request. Raises NotFound for who is not in the project."""
        return self._people.role(login)

    def add_user(self, login: str, role: str = "member") -> None:
        """Give a user a role in the project, in place of any other; for its owners. One request."""
        self._people.add(login, role)

    def remove_user(self, login: str) -> None:
        """Take a user out of the project; for its owners. Two requests. Raises NotFound for who is not in it."""
        self._people.remove(login)

    def accessibility(self) -> str:
        """`private`, `protected` (everybody sees that it exists) or `public` (everybody reads); one request."""
        return self._people.accessibility()

    def set_accessibility(self, accessibility: str = "protected") -> None:
        """Open or close the project; for its owners. One request. Raises QueryError for another word."""
        self._people.set_accessibility(accessibility)

    @property
    def _people(self) -> People:
        return People(self._site.connection, self.uri)


KINDS: dict[Level, type[Handle]] = {
    kind.level: kind for kind in (Project, Subject, Experiment, Scan, Reconstruction, Assessor, Resource, File)
}
"""Level → class of its handles."""
