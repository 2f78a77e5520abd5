"""How to reach S3: keys come from one place, whole."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.config.files import CONFIG, TOML, write

from connectomedb.config.s3 import S3Settings, s3_settings
from connectomedb.config.server import server_profile
from connectomedb.errors import ConfigError

AWS_CREDENTIALS = """
[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = default-secret
[work]
aws_access_key_id = WORKKEY
aws_secret_access_key = work-secret
aws_session_token = work-token
"""
AWS_CONFIG = """
[default]
region = us-east-1
[profile work]
region = eu-central-1
endpoint_url = https://s3.work.example.org
"""


def s3(
    home: Path,
    access_key: str | None = None,
    secret_key: str | None = None,
    *,
    anonymous: bool = False,
    profile: str | None = None,
    endpoint_url: str | None = None,
    env: Mapping[str, str] | None = None,
) -> S3Settings:
    return s3_settings(
        access_key,
        secret_key,
        anonymous=anonymous,
        profile=profile,
        endpoint_url=endpoint_url,
        environment=env or {},
        home=home,
    )


KEYS = {"AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "env-secret"}


def with_aws(home: Path) -> None:
    write(home, ".aws/credentials", AWS_CREDENTIALS)
    write(home, ".aws/config", AWS_CONFIG)


def test_s3_keys_come_from_the_first_place_that_has_them(tmp_path: Path) -> None:
    with_aws(tmp_path)
    assert s3(tmp_path).access_key == "DEFAULTKEY"
    write(tmp_path, CONFIG, TOML)
    assert s3(tmp_path).access_key == "LABKEY"
    assert s3(tmp_path, env=KEYS).access_key == "ENVKEY"
    assert s3(tmp_path, profile="work", env=KEYS).access_key == "WORKKEY"
    assert s3(tmp_path, "ARGKEY", "arg-secret", profile="work", env=KEYS).access_key == "ARGKEY"


def test_a_token_never_joins_keys_of_another_place(tmp_path: Path) -> None:
    with_aws(tmp_path)
    assert s3(tmp_path, "ARGKEY", "arg-secret", profile="work").session_token is None
    assert s3(tmp_path, profile="work").session_token == "work-token"
    assert s3(tmp_path, env=dict(AWS_SESSION_TOKEN="alone")).access_key == "DEFAULTKEY"
    assert s3(tmp_path, env=dict(AWS_SESSION_TOKEN="alone")).session_token is None


def test_region_and_endpoint_follow_the_usual_variables(tmp_path: Path) -> None:
    settings = s3(
        tmp_path,
        env=dict(
            AWS_REGION="a",
            AWS_DEFAULT_REGION="b",
            AWS_ENDPOINT_URL_S3="http://s3.example.org",
            AWS_ENDPOINT_URL="http://all.example.org",
        ),
    )
    assert (settings.region, settings.endpoint_url) == ("a", "http://s3.example.org")
    settings = s3(tmp_path, env=dict(AWS_DEFAULT_REGION="b", AWS_ENDPOINT_URL="http://all.example.org"))
    assert (settings.region, settings.endpoint_url) == ("b", "http://all.example.org")
    assert (
        s3(tmp_path, endpoint_url="http://mine", env=dict(AWS_ENDPOINT_URL="http://all")).endpoint_url == "http://mine"
    )


def test_a_profile_of_aws_brings_its_region_and_endpoint(tmp_path: Path) -> None:
    with_aws(tmp_path)
    for settings in (s3(tmp_path, profile="work"), s3(tmp_path, env=dict(AWS_PROFILE="work"))):
        assert (settings.region, settings.endpoint_url) == ("eu-central-1", "https://s3.work.example.org")
    write(tmp_path, CONFIG, TOML)
    assert s3(tmp_path, profile="borrowed").access_key == "WORKKEY"


def test_a_profile_of_aws_says_nothing_of_servers(tmp_path: Path) -> None:
    with_aws(tmp_path)
    write(tmp_path, CONFIG, TOML)
    names = ("work", "borrowed", None)
    assert [server_profile(name, environment={}, home=tmp_path) for name in names] == [None, "borrowed", None]
    with pytest.raises(ConfigError, match="'nobody'"):
        server_profile("nobody", environment={}, home=tmp_path)


def test_a_profile_of_ours_without_keys_leaves_the_choice_of_an_aws_profile(tmp_path: Path) -> None:
    with_aws(tmp_path)
    write(tmp_path, CONFIG, '[profiles.lab]\nserver = "https://db.example.org"\n')
    assert s3(tmp_path, profile="lab", env=dict(AWS_PROFILE="work")).access_key == "WORKKEY"


def test_a_profile_named_hcp_serves_where_there_is_no_default(tmp_path: Path) -> None:
    hcp = AWS_CREDENTIALS.replace("default]", "hcp]").replace("DEFAULTKEY", "HCPKEY")
    write(tmp_path, ".aws/credentials", hcp)
    assert s3(tmp_path).access_key == "HCPKEY"
    write(tmp_path, ".aws/credentials", hcp + AWS_CREDENTIALS.partition("[work]")[0])
    assert s3(tmp_path).access_key == "DEFAULTKEY"
    assert s3(tmp_path, profile="hcp").access_key == "HCPKEY"


def test_files_of_aws_can_lie_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, "elsewhere/keys", AWS_CREDENTIALS)
    assert s3(tmp_path, env=dict(AWS_SHARED_CREDENTIALS_FILE=str(path))).access_key == "DEFAULTKEY"


def test_anonymous_means_no_key(tmp_path: Path) -> None:
    with_aws(tmp_path)
    settings = s3(tmp_path, anonymous=True, env=KEYS)
    assert (settings.access_key, settings.secret_key, settings.anonymous) == (None, None, True)
    write(tmp_path, CONFIG, TOML)
    assert s3(tmp_path, profile="open").anonymous
    with pytest.raises(ConfigError, match="anonymous"):
        s3(tmp_path, "KEY", "secret", anonymous=True)


def test_without_any_key_the_choice_is_left_open(tmp_path: Path) -> None:
    assert s3(tmp_path) == S3Settings()


@pytest.mark.parametrize("half", [{"AWS_ACCESS_KEY_ID": "K"}, {"AWS_SECRET_ACCESS_KEY": "hunter2"}])
def test_half_a_key_pair_is_refused(tmp_path: Path, half: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="only one") as caught:
        s3(tmp_path, env=half)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="the arguments hold only one"):
        s3(tmp_path, "KEY")


def test_unknown_and_broken_profiles_get_a_sentence(tmp_path: Path) -> None:
    with_aws(tmp_path)
    with pytest.raises(ConfigError, match="default, work"):
        s3(tmp_path, profile="nobody")
    with pytest.raises(ConfigError, match="default, work"):
        s3(tmp_path, env=dict(AWS_PROFILE="nobody"))
    write(tmp_path, ".aws/credentials", "aws_secret_access_key = hunter2")
    with pytest.raises(ConfigError) as caught:
        s3(tmp_path)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("endpoint", ["localhost:8333", "s3.example.org", "ftp://x", "http://", "https:///bucket"])
def test_an_endpoint_that_is_no_address_is_refused(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(ConfigError, match="Write its address like"):
        s3_settings(endpoint_url=endpoint, environment={}, home=tmp_path)
