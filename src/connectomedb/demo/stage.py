"""The stage: the synthetic release in a real object store, and a real server that knows it.

    <folder>/release/     the files as generated, and the subject tables
    <folder>/store/       SeaweedFS's own data
    <folder>/server/      the server's data folder; its archive holds the file that the bucket lacks
    <folder>/.stage       marks the folder as ours, so that nothing else is ever overwritten; locked while in use

Store and server are processes of their own, as they would be anywhere; both end with the stage.
"""

import errno
import fcntl
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TextIO

from connectomedb.config.s3 import s3_settings
from connectomedb.demo.measures.all_columns import COLUMNS
from connectomedb.demo.release import DemoRelease, generate
from connectomedb.demo.services.seaweed import SeaweedFS
from connectomedb.demo.services.server_process import ServerProcess
from connectomedb.demo.services.upload import upload_release
from connectomedb.demo.subjects import SUBJECTS
from connectomedb.demo.terms import TERMS
from connectomedb.errors import ConfigError
from connectomedb.hcp.release import release_of
from connectomedb.server.access.auth import Role
from connectomedb.server.access.terms import accept_project_terms
from connectomedb.server.access.users import add_member, create_user
from connectomedb.server.folder import DataFolder
from connectomedb.server.intake.delivery import Delivery
from connectomedb.server.intake.ingest import ingest_release
from connectomedb.server.intake.table_lines import SubjectTable
from connectomedb.server.run import make_admin
from connectomedb.server.site import open_site
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.s3 import S3Store
from connectomedb.transfer.disk import disk_faults

BUCKET = "hcp.aws.amazon.com"
USER = "admin"
VISITOR = "visitor"
"""A user like any other, who has not accepted the terms yet; the password is the administrator's."""

_MARK = ".stage"
_OURS = ("release", "store", "server")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything answers, and how to sign in. All secrets are made up for this run."""

    server: str
    user: str
    password: str
    s3_endpoint: str
    access_key: str
    secret_key: str
    bucket: str

    def environment(self) -> dict[str, str]:
        """The variables that make `cdb`, the examples and other S3 tools use this stage."""
        return {
            "XNAT_HOST": self.server,
            "XNAT_USER": self.user,
            "XNAT_PASS": self.password,
            "AWS_ENDPOINT_URL": self.s3_endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "CONNECTOMEDB_BUCKET": self.bucket,
        }


@contextmanager
def open_stage(
    folder: Path,
    *,
    subjects: Sequence[str] = SUBJECTS,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[Stage]:
    """Generate, store, ingest and serve the demo release in `folder`; stop both processes at the end.

    Raises: ConfigError when the folder holds something that is not ours, or is in use by another stage; DiskFull,
    DiskRefused; ServiceFailed when the store or the server does not come up.
    """
    access_key, secret_key = f"DEMO{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    say(f"Generating {len(subjects)} synthetic subjects, and starting the object store")
    with (
        _cleared(folder),
        _generating(folder / "release", subjects) as generating,
        SeaweedFS.start(folder / "store", access_key=access_key, secret_key=secret_key) as seaweed,
    ):
        release = generating.result()
        settings = s3_settings(access_key, secret_key, endpoint_url=seaweed.endpoint_url)
        bucket = S3Store(BUCKET, settings)
        seaweed.create_bucket(BUCKET)
        count = upload_release(release, bucket)
        say(f"Stored {count} files in the bucket {BUCKET} at {seaweed.endpoint_url}")
        stage = Stage("", USER, secrets.token_urlsafe(12), seaweed.endpoint_url, access_key, secret_key, BUCKET)
        _ingest(folder / "server", release, bucket, stage.password)
        say(f"Accepted the demo's data-use terms for the user {USER}: cdb terms show {release.project}")
        say("Ingested the release into the database; starting the server")
        with ServerProcess.start(folder / "server", stage.environment(), stage.password) as server:
            yield Stage(server.address, *_rest(stage))


@contextmanager
def _generating(folder: Path, subjects: Sequence[str]) -> Iterator[Future[DemoRelease]]:
    """The release, being made beside what the block does; leaving the block early gives it up."""
    leaving = Event()
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(generate, folder, subjects=subjects, is_wanted=lambda: not leaving.is_set())
        finally:
            leaving.set()


def _rest(stage: Stage) -> tuple[str, str, str, str, str, str]:
    return stage.user, stage.password, stage.s3_endpoint, stage.access_key, stage.secret_key, stage.bucket


def _ingest(folder: Path, release: DemoRelease, bucket: S3Store, password: str) -> None:
    """Make the server's data folder, by the door that anybody's data comes through; its user accepts the terms."""
    data = DataFolder.open(folder)
    data.settings.write_text(
        f'[stores.bucket]\nkind = "s3"\nbucket = "{bucket.bucket}"\nendpoint_url = "{bucket.settings.endpoint_url}"\n'
        "user_keys = true\n"
    )
    site = open_site(folder, settings=bucket.settings)
    try:
        tree, archive = FolderStore(release.tree), FolderStore(data.archive)
        for key in release.bucket_lacks:
            archive.put(key, tree.path(key))
        prefix = f"{release.prefix}/"
        definitions = [column.definition for column in COLUMNS]
        delivery = Delivery(
            release=release_of(release.project),
            title=release.title,
            description=release.description,
            listings={"bucket": bucket.list(prefix), "archive": archive.list(prefix)},
            tables=[SubjectTable(table, definitions) for table in (release.behaviour, release.restricted)],
            terms=TERMS,
        )
        ingest_release(site.database, site.archive, delivery)
        make_admin(site, password)
        create_user(site.database, VISITOR, password, firstname="Demo", lastname="Visitor")
        add_member(site.database, release.project, VISITOR, Role.COLLABORATOR)
        accept_project_terms(site.database, release.project, USER)
    finally:
        site.close()


@contextmanager
def _cleared(folder: Path) -> Iterator[None]:
    """Make the folder, empty what an earlier stage left in it, and keep other stages out."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise ConfigError(f"Asked to set the demo up in {folder}, which holds something else. Name an empty folder.")
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        mark = (folder / _MARK).open("a")
    with mark:
        _lock(mark, folder)
        with disk_faults(folder):
            mark.truncate(0)
            mark.write("The demo of connectomedb: synthetic data, made anew at each start.\n")
            mark.flush()
            for name in _OURS:
                shutil.rmtree(folder / name, ignore_errors=True)
        yield


def _lock(mark: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        raise ConfigError(
            f"Asked to set the demo up in {folder}, where another demo runs. Stop it, or name another folder."
        ) from fault
    except OSError as fault:
        if fault.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):  # some shared disks have no locks
            raise
