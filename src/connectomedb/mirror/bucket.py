"""A bucket as the tutorial sees it: list keys, save one to a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectomedb.config.s3 import s3_settings
from connectomedb.errors import AddressError
from connectomedb.stores.base import ObjectInfo, StoredObject
from connectomedb.stores.s3 import S3Store
from connectomedb.transfer.fetch import Engine, fetch


@dataclass(frozen=True, slots=True)
class S3Key:
    """One entry of a listing. `name` is the whole key; one that ends in `/` is a pseudo-directory.

    `size` is in bytes, `etag` is S3's claim; both are empty for a pseudo-directory.
    """

    bucket: "S3Bucket"
    name: str
    size: int = 0
    etag: str | None = None
    last_modified: datetime | None = None

    @property
    def is_folder(self) -> bool:
        """Whether this is a pseudo-directory, which holds no bytes."""
        return self.name.endswith("/")

    def get_contents_to_filename(self, filename: str | Path) -> Path:
        """Save the object to a file, whole and checked against its ETag, or leave nothing under that name.

        Missing folders are made. A pseudo-directory becomes a folder.
        Raises: StoreError, ChecksumMismatch, SizeMismatch, DiskFull.
        """
        target = Path(filename)
        if self.is_folder:
            target.mkdir(parents=True, exist_ok=True)
            return target
        info = self.bucket.store.head(self.name)
        with Engine() as engine:
            source = StoredObject(self.bucket.store, self.name)
            fetch([source], target, info.expected(), engine=engine, modified=info.modified)
        return target


class S3Bucket:
    """One bucket of any S3."""

    def __init__(self, store: S3Store) -> None:
        self.store = store

    @classmethod
    def open(
        cls,
        name: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        anonymous: bool = False,
    ) -> "S3Bucket":
        """A bucket by name; no request is made.

        Keys come from the arguments, else from `AWS_*`, else from a profile in `~/.aws`; `endpoint_url` names
        any other S3 than AWS. Raises ConfigError for half a key pair or an unknown profile.
        """
        settings = s3_settings(
            access_key=access_key,
            secret_key=secret_key,
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            anonymous=anonymous,
        )
        return cls(S3Store(name, settings))

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.store.bucket

    def __repr__(self) -> str:
        return f"S3Bucket({self.store.name!r})"

    def list(self, prefix: str = "", delimiter: str = "") -> Iterator[S3Key]:
        """Keys that begin with `prefix`, in byte order of their names where one level is listed.

        With the delimiter `/`: one level, pseudo-directories as names that end in `/`. Without: everything
        below, page by page. Raises AddressError for another delimiter, StoreError for a bucket that refuses.
        """
        if delimiter not in ("", "/"):
            raise AddressError(f"Asked to list with the delimiter {delimiter!r}. Use '/' for one level, or none.")
        if not delimiter:
            return (self._key(info) for info in self.store.list(prefix))
        level = self.store.list_level(prefix)
        keys = [*(self._key(info) for info in level.objects), *(S3Key(self, path) for path in level.prefixes)]
        return iter(sorted(keys, key=lambda key: key.name.encode()))

    def get(self, name: str) -> S3Key:
        """One key, by one request. Raises ObjectMissing."""
        return self._key(self.store.head(name))

    def _key(self, info: ObjectInfo) -> S3Key:
        return S3Key(self, info.key, info.size, info.etag, info.modified)
