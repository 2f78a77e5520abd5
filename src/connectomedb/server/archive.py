"""File bytes: a named set of stores. A file's row says in which one it lies, and under which key.

The stores check keys themselves (`stores.base.check_key`), so no row can name anything outside them.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import AddressError, ConfigError, ObjectMissing, StoreError
from connectomedb.server.folder import ARCHIVE, DataFolder, FolderDeclaration, S3Declaration
from connectomedb.stores.base import Store, WritableStore
from connectomedb.stores.folder import FolderStore
from connectomedb.stores.s3 import S3Store


class Archive:
    """The stores of one server, by name."""

    def __init__(self, stores: Mapping[str, Store], public: Mapping[str, str] | None = None) -> None:
        """`public`: where clients reach stores, by name, if that is not where we do."""
        self._stores = dict(stores)
        self._public = dict(public or {})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stores."""
        return tuple(self._stores)

    def store(self, name: str) -> Store:
        """The store of that name. Raises ConfigError: a row or a caller names one that nobody declared."""
        if name not in self._stores:
            known = ", ".join(self._stores)
            raise ConfigError(f"Asked for the store {name!r}. Declared are: {known}. Declare it in cdb.toml.")
        return self._stores[name]

    def open(self, store: str, key: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Bytes of an object, in pieces. Raises StoreError, ConfigError."""
        try:
            return self.store(store).open(key, offset, length)
        except AddressError as fault:  # the key is ours, so this is no fault of who asks
            raise StoreError(f"Asked the store {store} for {key!r}, which is no key.", store=store, key=key) from fault

    def read(self, store: str, key: str, most: int) -> bytes:
        """A whole object of at most `most` bytes. Raises StoreError; ConfigError when it is longer."""
        content = b"".join(self.open(store, key, 0, most + 1))
        if len(content) > most:
            raise ConfigError(f"Asked to read {key} of the store {store}. It has more than {most} bytes.")
        return content

    def discard(self, objects: Iterable[tuple[str, str]]) -> None:
        """Delete objects, by store and key, of which no row tells any longer; only in the server's own store.

        Stores that `cdb.toml` declares hold what others published, and are never written. Raises StoreError.
        """
        for name, key in objects:
            store = self.store(name) if name == ARCHIVE else None
            if isinstance(store, FolderStore):
                with suppress(ObjectMissing):
                    store.delete(key)

    def md5(self, store: str, key: str) -> str:
        """MD5 of an object, by reading all of it: 32 lower-case hex digits. Raises StoreError."""
        digest = hashlib.md5(usedforsecurity=False)
        for piece in self.open(store, key):
            digest.update(piece)
        return digest.hexdigest()

    def writable(self, name: str) -> WritableStore:
        """The store of that name, to be written. Raises ConfigError: it is unknown, or can only be read."""
        store = self.store(name)
        if not isinstance(store, WritableStore):
            raise ConfigError(f"Asked to keep files in the store {name!r}. It can only be read. Choose another one.")
        return store

    def adopt(self, store: str, key: str, path: Path) -> None:
        """Keep a file under `key`; where store and file lie on one disk it is moved. Raises StoreError, ConfigError."""
        self.writable(store).adopt(key, path)

    def delete(self, store: str, key: str) -> None:
        """Remove an object. A missing one is no error. Raises StoreError, ConfigError."""
        self.writable(store).delete(key)

    def locate(self, store: str, key: str) -> str:
        """Where an object lies, for people and programs beside the server: a path, or `s3://bucket/key`."""
        found = self.store(store)
        if isinstance(found, FolderStore):
            return str(found.path(key).absolute())
        return f"s3://{found.bucket}/{key}" if isinstance(found, S3Store) else f"{found.name}/{key}"

    def presign(self, store: str, key: str, seconds: int, answer: Mapping[str, str]) -> str | None:
        """An address under which a bucket itself gives the object for so long; None of other stores.

        `answer`: how it is to answer, like `response-content-type`.
        """
        found = self.store(store)
        if not isinstance(found, S3Store):
            return None
        return found.presign(key, timedelta(seconds=seconds), answer=answer, endpoint_url=self._public.get(store))

    def public_endpoint(self, store: str) -> str | None:
        """Where clients reach a bucket; None of AWS itself, and of other stores."""
        found = self.store(store)
        return self._public.get(store) or (found.settings.endpoint_url if isinstance(found, S3Store) else None)

    def close(self) -> None:
        """Let go of the stores' connections."""
        for store in self._stores.values():
            store.close()


def open_archive(
    folder: DataFolder, settings: S3Settings | None = None, stores: Mapping[str, Store] | None = None
) -> Archive:
    """The folder's own store, those that its `cdb.toml` declares, and `stores` given by the caller.

    `settings` hold the keys for declared buckets. Raises ConfigError.
    """
    opened: dict[str, Store] = {ARCHIVE: own_store(folder)}
    public: dict[str, str] = {}
    for name, declared in folder.declared_stores().items():
        if isinstance(declared, FolderDeclaration):
            opened[name] = FolderStore(declared.path, name)
            continue
        reach = replace(
            settings or S3Settings(),
            endpoint_url=declared.endpoint_url or (settings.endpoint_url if settings else None),
            region=declared.region or (settings.region if settings else None),
            anonymous=declared.anonymous,
        )
        opened[name] = S3Store(declared.bucket, reach)
        if declared.public_endpoint_url:
            public[name] = declared.public_endpoint_url
    return Archive({**opened, **(stores or {})}, public)


def store_with_user_keys(folder: DataFolder) -> str | None:
    """Name of the one bucket for which users make keys; None without one. Raises ConfigError."""
    declared = folder.declared_stores().items()
    names = [name for name, store in declared if isinstance(store, S3Declaration) and store.user_keys]
    if len(names) > 1:
        raise ConfigError(f"Read {folder.settings}: user_keys is true in {', '.join(names)}. One bucket may have it.")
    return names[0] if names else None


def own_store(folder: DataFolder) -> WritableStore:
    """The store in which the server itself keeps files."""
    return FolderStore(folder.archive, ARCHIVE)
