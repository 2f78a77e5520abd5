"""Your S3 keys for the server's bucket: `db.keys`. They open what you may read there, and nothing else."""

from dataclasses import dataclass, field

from connectomedb.client.transport import Connection, read_document

_ADDRESS = "/data/services/s3keys"


@dataclass(frozen=True, slots=True)
class UserKey:
    """The public half of your key pair.

    Attributes:
        endpoint_url, region: where the bucket is; None for those of AWS.
        prefixes: what the keys open, each ending in `/`.
        created: UTC, as ISO 8601.
    """

    user: str
    access_key: str
    bucket: str
    endpoint_url: str | None
    region: str | None
    prefixes: list[str]
    created: str


@dataclass(frozen=True, slots=True)
class NewKey(UserKey):
    """A key pair that was just made: nobody will show its secret again."""

    secret_key: str = field(default="", repr=False)


class Keys:
    """Making and ending your keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self) -> NewKey:
        """A new key pair, in force within seconds; an older one ends.

        Raises NotFound when the server gives out no keys, TermsNotAccepted, AccessDenied.
        """
        return read_document(NewKey, self._connection.ask("POST", _ADDRESS))

    def get(self) -> UserKey:
        """What you have. Raises NotFound when you have none."""
        return read_document(UserKey, self._connection.ask("GET", _ADDRESS))

    def revoke(self) -> None:
        """End your keys; to have none is no error."""
        self._connection.ask("DELETE", _ADDRESS)
