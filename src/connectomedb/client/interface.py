"""`Interface`: the door that a user opens to an XNAT or ConnectomeDB."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from platformdirs import user_cache_path

from connectomedb.client._wire import TIMEOUT_S
from connectomedb.client.cohorts.cohort import Cohort
from connectomedb.client.cohorts.dictionary import Coverage, read_coverage, read_dictionary
from connectomedb.client.cohorts.explorer import Explorer
from connectomedb.client.cohorts.groups import Groups
from connectomedb.client.delivery import Tables, send_tables
from connectomedb.client.handle import DataMirror, Listing, Site
from connectomedb.client.handles import Experiment, Project
from connectomedb.client.keys import Keys
from connectomedb.client.packages import Packages
from connectomedb.client.people import Manage
from connectomedb.client.select import Select
from connectomedb.client.transport import Connection
from connectomedb.cohort.columns import NONTOOLBOX
from connectomedb.config.server import xnat_settings
from connectomedb.hcp.dictionary import Dictionary, FieldDefinition
from connectomedb.hcp.field_search import find_fields
from connectomedb.hcp.ingested import Ingested, Intake
from connectomedb.mirror.mirror import Mirror
from connectomedb.stores.xnat import XnatSource
from connectomedb.xnat.address import Address, Level


class Interface:
    """A server, and who asks it. Nothing is sent before something is asked; use `with` or `close()` to end.

        with Interface("https://db.example.org", "me", "secret", data_mirror=mirror) as db:
            db.project("HCP_Q1").subject("100307").files("T1w")           # local paths
            for subject in db.project("HCP_Q1").subjects():               # one request
                print(subject.label())
            table = db.select("xnat:subjectData", ["xnat:subjectData/SUBJECT_ID"]).all()

    Args:
        server: address, like `https://db.example.org`; else `XNAT_HOST`, else a profile.
        user, password: or alias and secret of a token; else `XNAT_USER` and `XNAT_PASS`, profile, netrc, keyring.
        anonymous: ask as a guest.
        data_mirror: where subjects' files are kept on this disk. A Mirror gets this server as its last source,
            for files that its own sources lack. Without one, a mirror below the user's cache folder is kept,
            with this server as its only source.
        profile: of `~/.config/connectomedb/config.toml`.
        timeout_s: how long the server may stay silent, in seconds.
        verify: False trusts any certificate; a path names a file of certificates to trust.
    Raises: ConfigError when no server or credentials are known.
    """

    def __init__(
        self,
        server: str | None = None,
        user: str | None = None,
        password: str | None = None,
        *,
        anonymous: bool = False,
        data_mirror: DataMirror | None = None,
        profile: str | None = None,
        timeout_s: float = TIMEOUT_S,
        verify: bool | str | Path = True,
    ) -> None:
        settings = xnat_settings(server, user, password, anonymous=anonymous, profile=profile)
        self.connection = Connection(
            settings.server, settings.user, settings.password, timeout_s=timeout_s, verify=verify
        )
        self._data_mirror = data_mirror
        self._mirror: DataMirror | None = None
        self._dictionaries: dict[str, Dictionary] = {}
        self.explorer = Explorer(self.connection)
        self.select = Select(Site(self.connection, lambda: self.data_mirror))
        self.manage = Manage(self.connection)

    @property
    def server(self) -> str:
        """The server's address, without credentials."""
        return self.connection.name

    @property
    def data_mirror(self) -> DataMirror:
        """Where subjects' files are kept on this disk, with this server among its sources."""
        if self._mirror is None:
            self._mirror = self._make_mirror()
        return self._mirror

    @property
    def has_own_mirror(self) -> bool:
        """Whether files are looked for in more places than this server."""
        return self._data_mirror is not None

    def project(self, id: str) -> Project:
        """A project by ID or alias; nothing is sent."""
        return self.select.project(id)

    def projects(self, pattern: str = "*") -> Listing[Project]:
        """The projects that you may see and whose ID is like `pattern`; one request, when iterated."""
        return self.select.projects(pattern)

    def experiment(self, id: str) -> Experiment:
        """An experiment by accession ID, whatever its project; nothing is sent."""
        return Experiment(self.select.site, Address().child(Level.EXPERIMENTS, id))

    def where(self, predicate: str, *, project: str = "", data_type: str = NONTOOLBOX) -> Cohort:
        """The subjects that a predicate chooses by measures of a data type; nothing is sent.

        Raises PredicateError for a slip in the language.
        """
        return Cohort(self, predicate, project, data_type=data_type)

    @property
    def groups(self) -> Groups:
        """Cohorts that are kept on the server under a name; nothing is sent."""
        return Groups(self)

    def dictionary(self, data_type: str = NONTOOLBOX) -> Dictionary:
        """What the columns of a data type mean, as far as they are open to you; one request, the first time."""
        if data_type not in self._dictionaries:
            self._dictionaries[data_type] = read_dictionary(self.connection, data_type)
        return self._dictionaries[data_type]

    def coverage(self, data_type: str = NONTOOLBOX, *, project: str = "") -> dict[str, Coverage]:
        """How many subjects have each column and how many lack it, in a project or all of yours; one request."""
        return read_coverage(self.connection, data_type, project)

    def fields(self, words: str, *, most: int = 20) -> list[FieldDefinition]:
        """Columns of measures about some words, the likeliest first; typing errors are forgiven."""
        return find_fields(self.dictionary(), words, most)

    def ingest(
        self,
        project: str,
        tables: Iterable[str | Path] = (),
        *,
        dictionaries: Iterable[str | Path] = (),
        bids: str | Path = "",
        data_type: str = "",
        tier: str = "",
        title: str = "",
        description: str = "",
        accessibility: str = "",
        stores: Sequence[str] = (),
        prefix: str = "",
        only_known: bool = False,
        trial: bool = False,
    ) -> Ingested:
        """Bring tables of measures into a project that you own, or make it; all or nothing, one request.

        Args:
            tables: CSV or TSV files, the subject's label first. A TSV's JSON sidecar is taken along.
            dictionaries: what the columns mean, and their tiers; one of a table's own name is about that table alone.
            bids: folder of a BIDS data set, whose participants, phenotypes and sessions are taken; its files come by
                `stores` and `prefix`.
            data_type: of the measures; else HCP's.
            tier: of columns whose tier no dictionary states: `open`, `restricted` (if nothing is said), `sensitive`.
            stores, prefix: files that stores of the server list; for administrators.
            only_known: refuse subjects that the project does not have.
            trial: tell what would change, and keep nothing.
        Raises: ConfigError with line and column of what is wrong, AccessDenied, RequestError.
        """
        intake = Intake(
            data_type,
            tier,
            title,
            description,
            accessibility,
            tuple(stores),
            prefix,
            only_known=only_known,
            trial=trial,
        )
        return send_tables(self.connection, project, Tables.of(tables, dictionaries, bids), intake)

    @property
    def packages(self) -> Packages:
        """The server's download packages; nothing is sent."""
        return Packages(self.connection)

    @property
    def keys(self) -> Keys:
        """Your S3 keys for the server's bucket; nothing is sent."""
        return Keys(self.connection)

    @property
    def store_of(self) -> XnatSource:
        """This server as a source of a mirror: called with a release, it gives the store of its files."""
        return XnatSource(self.connection)

    def close(self) -> None:
        """End the session on the server and let go of the connections."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Interface({self.server!r})"

    def _make_mirror(self) -> DataMirror:
        if self._data_mirror is None:
            return Mirror(user_cache_path("connectomedb") / "mirrors" / _folder(self.server), [self.store_of])
        if isinstance(self._data_mirror, Mirror):
            return self._data_mirror.with_fallback(self.store_of)
        return self._data_mirror


def _folder(server: str) -> str:
    """A folder's name for a server: two servers never share a mirror, whose releases may differ."""
    return quote(server.partition("://")[2].lower(), safe="")
