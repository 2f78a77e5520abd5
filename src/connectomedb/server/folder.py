"""The data folder of a server.

    FOLDER/
      database.sqlite     users, projects, subjects, measures, and which file lies where; unless PostgreSQL has them
      archive/            file bytes that the server keeps itself: the store named "archive"
      staging/            uploads that are being received; see `server.staging`
      cache/              files that users put aside for an import; see `server.intake.user_cache`
      pictures/           small pictures of images, made again when they are missing; see `server.pictures`
      cdb.toml            optional: settings (`server.settings`), and further stores

    [stores.bucket]                              # files say "bucket" when they lie here
    kind = "s3"
    bucket = "hcp.aws.amazon.com"
    endpoint_url = "http://127.0.0.1:8333"       # optional, for any S3 but AWS
    region = "us-east-1"                         # optional
    anonymous = false                            # optional
    user_keys = false                            # optional: users make S3 keys of their own, see server.keys

    [stores.share]
    kind = "folder"
    path = "/srv/hcp"                            # or relative to FOLDER

Keys and passwords do not belong into this file; it is refused when there are any. They come from the
environment, as everywhere.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import ConfigError, DiskRefused

ARCHIVE = "archive"
"""Name of the store that every server has."""

_S3_KEYS = {"kind", "bucket", "endpoint_url", "public_endpoint_url", "region", "anonymous", "user_keys"}
_FOLDER_KEYS = {"kind", "path"}


@dataclass(frozen=True, slots=True)
class FolderDeclaration:
    """A store that is a folder."""

    path: Path


@dataclass(frozen=True, slots=True)
class S3Declaration:
    """A store that is a bucket.

    `public_endpoint_url` is where clients reach it, if that is not where the server does.
    """

    bucket: str
    endpoint_url: str | None = None
    region: str | None = None
    anonymous: bool = False
    user_keys: bool = False
    public_endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where everything of one server lies."""

    root: Path
    settings_file: Path | None = None

    @classmethod
    def open(cls, root: Path, settings_file: Path | None = None) -> "DataFolder":
        """The folder, made if it is missing; only its owner may enter a new one. Raises DiskRefused."""
        folder = cls(root, settings_file)
        try:
            if not root.exists():
                root.mkdir(parents=True, mode=0o700)
            folder.archive.mkdir(exist_ok=True)
        except OSError as fault:
            message = f"Asked for the data folder {root}. It cannot be written: {fault.strerror}. Choose another one."
            raise DiskRefused(message, path=str(root)) from fault
        return folder

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "database.sqlite"

    @property
    def archive(self) -> Path:
        """The folder of the store "archive"."""
        return self.root / ARCHIVE

    @property
    def settings(self) -> Path:
        """The optional settings: `cdb.toml` in the folder, unless another file was named."""
        return self.settings_file or self.root / "cdb.toml"

    @property
    def staging(self) -> Path:
        """The folder of uploads that are being received."""
        return self.root / "staging"

    @property
    def pictures(self) -> Path:
        """The folder of small pictures of images."""
        return self.root / "pictures"

    @property
    def cache(self) -> Path:
        """The folder of files that users put aside."""
        return self.root / "cache"

    def declared_stores(self) -> dict[str, FolderDeclaration | S3Declaration]:
        """Stores of `cdb.toml` by name; none without the file. Raises ConfigError."""
        if not self.settings.exists():
            return {}
        try:
            document = tomllib.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
            raise ConfigError(f"Read {self.settings}: {fault}. Put it right, or remove it.") from fault
        stores = document.get("stores", {})
        if not isinstance(stores, dict):
            raise ConfigError(f"Read {self.settings}: stores are sections, [stores.NAME].")
        return {name: self._declaration(name, section) for name, section in stores.items()}

    def _declaration(self, name: str, section: object) -> FolderDeclaration | S3Declaration:
        where = f"Read {self.settings}, [stores.{name}]"
        if name == ARCHIVE:
            raise ConfigError(f"{where}: this name is taken by the folder {self.archive}. Choose another one.")
        kind = section.get("kind") if isinstance(section, dict) else None
        if not isinstance(section, dict) or kind not in ("s3", "folder"):
            raise ConfigError(f'{where}: say kind = "s3" or kind = "folder".')
        foreign = set(section) - (_S3_KEYS if kind == "s3" else _FOLDER_KEYS)
        if foreign:
            raise ConfigError(f"{where}: unknown {sorted(foreign)}. Secrets belong into the environment.")
        if kind == "folder":
            return FolderDeclaration(self.root / _text(section, "path", where, required=True))
        return S3Declaration(
            bucket=_text(section, "bucket", where, required=True),
            endpoint_url=_text(section, "endpoint_url", where) or None,
            public_endpoint_url=_text(section, "public_endpoint_url", where) or None,
            region=_text(section, "region", where) or None,
            anonymous=section.get("anonymous") is True,
            user_keys=section.get("user_keys") is True,
        )


def _text(section: dict[str, object], key: str, where: str, *, required: bool = False) -> str:
    value = section.get(key, "")
    if not isinstance(value, str) or (required and not value):
        raise ConfigError(f"{where}: {key} must be a text.")
    return value
