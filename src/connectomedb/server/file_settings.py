"""How a server keeps and sends files: the section `[files]` of `cdb.toml`.

[files]
uploads = "archive"                 # store in which uploads are kept: the folder's own, or a declared one
max_upload_bytes = 68719476736      # longest body of one request: 64 GiB
max_unpacked_bytes = 274877906944   # most that one archive may unpack to: 256 GiB
max_members = 100000                # most files in one upload
project_quota_bytes = 0             # most that the files of a project may have together; 0: no bound
redirect = false                    # send clients that can follow to the bucket itself
redirect_seconds = 300              # how long such an address is good for beginning a download
"""

from dataclasses import dataclass, fields

from connectomedb.errors import ConfigError


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Sizes in bytes, times in seconds."""

    uploads: str = "archive"
    max_upload_bytes: int = 64 << 30
    max_unpacked_bytes: int = 256 << 30
    max_members: int = 100_000
    project_quota_bytes: int = 0
    redirect: bool = False
    redirect_seconds: int = 300


def parse_file_settings(section: object, where: str) -> FileSettings:
    """Read the section; what it does not say stays as it is. Raises ConfigError, which begins with `where`."""
    if not isinstance(section, dict):
        raise ConfigError(f"{where}: write it as a section.")
    usual = {field.name: field.default for field in fields(FileSettings)}
    unknown = set(section) - set(usual)
    if unknown:
        raise ConfigError(f"{where}: unknown {sorted(unknown)}. It may hold {', '.join(usual)}.")
    for name, value in section.items():
        if type(value) is not type(usual[name]) or (isinstance(value, int) and value < 0):
            raise ConfigError(f"{where}: {name} is {value!r}. Write it like {usual[name]!r}.")
    return FileSettings(**section)
