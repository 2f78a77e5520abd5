"""Keys of users at AWS, as moto's server speaks IAM and S3, with its policies in force."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from connectomedb.config.s3 import S3Settings
from connectomedb.errors import ObjectMissing, StoreDenied
from connectomedb.server.keys.issuer import POLICY, IamIssuer, policy_of
from connectomedb.stores.s3 import S3Store

ROOT = ("AKIAROOTROOTROOTROOT", "secret of the root")
BUCKET = "hcp"


def settings(address: str, access_key: str, secret_key: str) -> S3Settings:
    return S3Settings(endpoint_url=address, region="us-east-1", access_key=access_key, secret_key=secret_key)


@pytest.fixture
def address() -> Iterator[str]:
    """AWS of one's own, with two objects in a bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    s3 = boto3.client("s3", "us-east-1", None, True, None, address, *ROOT)
    s3.create_bucket(Bucket=BUCKET)
    for key in ("Q1/100307/a.txt", "Q2/100307/b.txt"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    s3.close()
    yield address
    server.stop()


def enforce(address: str) -> None:
    """From now on moto asks its policies before it answers."""
    urlopen(Request(f"{address}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})).close()


def test_identities_of_aws_read_their_prefixes_and_nothing_else(address: str) -> None:
    issuer = IamIssuer(BUCKET, settings(address, *ROOT))
    assert issuer.list("cdb-ada") == []
    issuer.limit("cdb-ada", ["Q1/"])
    issuer.limit("cdb-ada", ["Q1/"])
    first, second = issuer.create("cdb-ada"), issuer.create("cdb-ada")
    issuer.end("cdb-ada", first.access_key)
    issuer.end("cdb-ada", first.access_key)
    assert issuer.list("cdb-ada") == [second.access_key]
    told = issuer._client.get_user_policy(UserName="cdb-ada", PolicyName=POLICY)["PolicyDocument"]
    assert told == json.loads(policy_of(BUCKET, ["Q1/"]))
    issuer.limit("cdb-bob", [])
    closed = issuer.create("cdb-bob")
    enforce(address)
    store = S3Store(BUCKET, settings(address, second.access_key, second.secret_key))
    assert b"".join(store.open("Q1/100307/a.txt")) == b"Q1/100307/a.txt"
    for pair, key in ((second, "Q2/100307/b.txt"), (closed, "Q1/100307/a.txt"), (first, "Q1/100307/a.txt")):
        with pytest.raises((StoreDenied, ObjectMissing)):
            b"".join(S3Store(BUCKET, settings(address, pair.access_key, pair.secret_key)).open(key))
    with pytest.raises(StoreDenied):
        IamIssuer(BUCKET, settings(address, second.access_key, second.secret_key)).create("cdb-ada")
