"""The seam to what makes identities: IAM, as AWS and SeaweedFS speak it, through boto3.

Each user of ours is a user there, with at most one key pair and one policy: read these prefixes of one
bucket, list them, nothing else. Needs `pip install 'connectomedb[aws]'`, and keys that may manage users.
Source: IAM's API reference; SeaweedFS answers the same calls on its S3 port when started with
`-s3.iam.readOnly=false`, and has a change in force some 2 s later.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import unquote

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ConfigError, StoreDenied, StoreError, StoreUnreachable

POLICY = "connectomedb"
"""Name of the policy that says what an identity may read."""

TIMEOUT_S = 10
OURS = re.compile(r"cdb-\d+-")
"""What the names of our identities begin with."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair. The secret is known here and to the user, and kept nowhere."""

    access_key: str
    secret_key: str = field(repr=False)


class Issuer(Protocol):
    """Makes identities for one bucket, and key pairs for them. `name` is the identity's."""

    def limit(self, name: str, prefixes: Sequence[str]) -> None:
        """Let an identity, made if it is missing, read these prefixes and nothing else."""
        ...

    def create(self, name: str) -> KeyPair:
        """A new key pair of an identity; older ones live on."""
        ...

    def list(self, name: str) -> list[str]:
        """Access keys of an identity; none of one that is not there."""
        ...

    def end(self, name: str, access_key: str) -> None:
        """End a key pair; one that is gone is no error."""
        ...

    def names(self) -> Sequence[str]:
        """The identities of ours that may read something of the bucket."""
        ...


def policy_of(bucket: str, prefixes: Sequence[str]) -> str:
    """The policy of somebody who may read these prefixes, each ending in `/`, as JSON."""
    arn = f"arn:aws:s3:::{bucket}"
    read = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{arn}/{prefix}*" for prefix in prefixes]}
    patterns = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    listing = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn], "Condition": patterns}
    return json.dumps({"Version": "2012-10-17", "Statement": [read, listing]})


class IamIssuer:
    """Identities by IAM."""

    def __init__(self, bucket: str, settings: S3Settings) -> None:
        """Nothing is sent. Raises ConfigError when this cannot work: no boto3, or a bucket reached without keys."""
        if find_spec("boto3") is None:
            raise ConfigError("A store says user_keys = true. That needs boto3: pip install 'connectomedb[aws]'.")
        if settings.anonymous:
            raise ConfigError("A store says user_keys = true and anonymous = true. Making keys takes keys: choose one.")
        self._bucket = bucket
        self._settings = settings

    @cached_property
    def _client(self) -> Any:
        """Made when first used: boto3 takes a while to load."""
        return _open_client(self._settings)

    def limit(self, name: str, prefixes: Sequence[str]) -> None:
        """As the seam says."""
        with _translated(name):
            with suppress(self._client.exceptions.EntityAlreadyExistsException):
                self._client.create_user(UserName=name)
            if prefixes:
                policy = policy_of(self._bucket, prefixes)
                self._client.put_user_policy(UserName=name, PolicyName=POLICY, PolicyDocument=policy)
                return
            with suppress(self._client.exceptions.NoSuchEntityException):
                self._client.delete_user_policy(UserName=name, PolicyName=POLICY)

    def create(self, name: str) -> KeyPair:
        """As the seam says."""
        with _translated(name):
            made = self._client.create_access_key(UserName=name)["AccessKey"]
        return KeyPair(str(made["AccessKeyId"]), str(made["SecretAccessKey"]))

    def list(self, name: str) -> list[str]:
        """As the seam says."""
        with _translated(name), suppress(self._client.exceptions.NoSuchEntityException):
            found = self._client.list_access_keys(UserName=name)["AccessKeyMetadata"]
            return [str(one["AccessKeyId"]) for one in found]
        return []

    def end(self, name: str, access_key: str) -> None:
        """As the seam says."""
        with _translated(name), suppress(self._client.exceptions.NoSuchEntityException):
            self._client.delete_access_key(UserName=name, AccessKeyId=access_key)

    def names(self) -> Sequence[str]:
        """As the seam says: known by their name, and by the policy that we gave them."""
        arn = f"arn:aws:s3:::{self._bucket}"
        with _translated("of every user"):
            pages = self._client.get_paginator("list_users").paginate()
            ours = [str(user["UserName"]) for page in pages for user in page["Users"] if OURS.match(user["UserName"])]
        return [name for name in ours if arn in _resources(self._policy(name))]

    def _policy(self, name: str) -> object:
        with _translated(name), suppress(self._client.exceptions.NoSuchEntityException):
            found = self._client.get_user_policy(UserName=name, PolicyName=POLICY)["PolicyDocument"]
            return json.loads(unquote(found)) if isinstance(found, str) else found
        return None


def _resources(policy: object) -> set[str]:
    match policy:
        case {"Statement": [*statements]}:
            named = [statement["Resource"] for statement in statements if "Resource" in statement]
            return {str(one) for some in named for one in ([some] if isinstance(some, str) else some)}
    return set()


def _open_client(settings: S3Settings) -> Any:
    """A client of IAM, at the store's own endpoint if it has one."""
    import boto3
    from botocore.config import Config

    session = boto3.Session(
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        aws_session_token=settings.session_token,
        region_name=settings.region or "us-east-1",
    )
    patience = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"max_attempts": 2})
    return session.client("iam", endpoint_url=settings.endpoint_url, config=patience)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Faults of boto3 as ours."""
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    try:
        yield
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code", ""))
        kind = StoreDenied if "Denied" in code or code in ("NotImplemented", "InvalidClientTokenId") else StoreError
        raise kind(f"Asked IAM about the identity {name}. It answered {code or 'an error'}: {fault}.") from fault
    except (ConnectionError, HTTPClientError) as fault:
        raise StoreUnreachable(f"Asked IAM about the identity {name}. It does not answer: {fault}.") from fault
    except BotoCoreError as fault:
        raise StoreError(f"Asked IAM about the identity {name}: {fault}.") from fault
