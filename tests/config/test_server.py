"""Which server, and as whom; no credential ever goes to a host that it was not given for."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.config.files import CONFIG, SERVER, TOML, WORD, write

from connectomedb.config.s3 import s3_settings
from connectomedb.config.server import XnatSettings, xnat_settings
from connectomedb.errors import ConfigError


def no_keyring(service: str, user: str) -> str | None:
    return None


def xnat(
    home: Path,
    server: str | None = None,
    user: str | None = None,
    password: str | None = None,
    *,
    anonymous: bool = False,
    profile: str | None = None,
    env: Mapping[str, str] | None = None,
) -> XnatSettings:
    return xnat_settings(
        server,
        user,
        password,
        anonymous=anonymous,
        profile=profile,
        environment=env or {},
        home=home,
        keyring=no_keyring,
    )


def test_arguments_come_before_everything(tmp_path: Path) -> None:
    write(tmp_path, CONFIG, TOML)
    settings = xnat(
        tmp_path, SERVER, "me", "word", env=dict(XNAT_HOST=SERVER, XNAT_USER="other", XNAT_PASS="other-word")
    )
    assert settings == XnatSettings(SERVER, "me", WORD)


def test_the_environment_comes_before_the_default_profile(tmp_path: Path) -> None:
    write(tmp_path, CONFIG, TOML)
    settings = xnat(tmp_path, env=dict(XNAT_HOST=SERVER, XNAT_USER="me", XNAT_PASS="word"))
    assert settings == XnatSettings(SERVER, "me", WORD)


def test_a_named_profile_comes_before_the_environment(tmp_path: Path) -> None:
    write(tmp_path, CONFIG, TOML)
    settings = xnat(tmp_path, profile="lab", env=dict(XNAT_HOST=SERVER, XNAT_USER="me", XNAT_PASS="word"))
    assert settings == XnatSettings("https://lab.example.org/xnat", "lab-user", "lab-word")


def test_the_default_profile_serves_when_nothing_else_is_said(tmp_path: Path) -> None:
    write(tmp_path, CONFIG, TOML)
    assert xnat(tmp_path).user == "lab-user"


@pytest.mark.parametrize("variable", ["CONNECTOMEDB_CONFIG", "XDG_CONFIG_HOME"])
def test_the_file_and_the_profile_can_be_named_by_the_environment(tmp_path: Path, variable: str) -> None:
    path = write(tmp_path, "elsewhere/connectomedb/config.toml", TOML)
    place = str(path if variable == "CONNECTOMEDB_CONFIG" else path.parent.parent)
    settings = xnat(tmp_path, env={"CONNECTOMEDB_PROFILE": "token", variable: place})
    assert settings == XnatSettings("https://token.example.org", "0c36eb5b-0000-4000-8000-000000000000", "token-secret")


def test_netrc_serves_its_own_hosts_only(tmp_path: Path) -> None:
    write(tmp_path, ".netrc", "machine db.example.org login me password word\ndefault login anybody password leaked\n")
    assert xnat(tmp_path, SERVER) == XnatSettings(SERVER, "me", WORD)
    with pytest.raises(ConfigError, match="No user is known"):
        xnat(tmp_path, "https://other.example.org")


def test_netrc_gives_the_password_of_the_named_user_and_of_no_other(tmp_path: Path) -> None:
    write(tmp_path, ".netrc", "machine db.example.org login me password word\n")
    assert xnat(tmp_path, SERVER, "me").password == WORD
    with pytest.raises(ConfigError, match="No password is known for you"):
        xnat(tmp_path, SERVER, "you")


def test_the_keyring_is_asked_last_and_under_the_servers_name(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def keyring(service: str, user: str) -> str | None:
        asked.append((service, user))
        return "word"

    settings = xnat_settings(SERVER, "me", environment={}, home=tmp_path, keyring=keyring)
    assert settings.password == WORD
    assert asked == [("connectomedb https://db.example.org", "me")]
    xnat_settings(SERVER, "me", "word", environment={}, home=tmp_path, keyring=keyring)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "server",
    ["https://evil.example.org", "http://db.example.org", "https://db.example.org:8443", "db.example.org.evil"],
)
def test_credentials_given_for_one_server_are_never_offered_to_another(tmp_path: Path, server: str) -> None:
    with pytest.raises(ConfigError, match="No user is known"):
        xnat(tmp_path, server, env=dict(XNAT_HOST=SERVER, XNAT_USER="me", XNAT_PASS="word"))
    write(tmp_path, CONFIG, TOML.replace("https://lab.example.org/xnat/", SERVER))
    with pytest.raises(ConfigError, match="No user is known"):
        xnat(tmp_path, server)


def test_credentials_without_a_host_of_their_own_serve_the_named_server(tmp_path: Path) -> None:
    assert xnat(tmp_path, SERVER, env=dict(XNAT_USER="me", XNAT_PASS="word")) == XnatSettings(SERVER, "me", WORD)
    assert xnat(tmp_path, SERVER, "me", env=dict(XNAT_PASS="word")).password == WORD


def test_a_guest_has_no_credentials_whatever_lies_about(tmp_path: Path) -> None:
    settings = xnat(tmp_path, anonymous=True, env=dict(XNAT_HOST=SERVER, XNAT_USER="me", XNAT_PASS="word"))
    assert settings == XnatSettings(SERVER)
    with pytest.raises(ConfigError, match="anonymous"):
        xnat(tmp_path, SERVER, "me", "word", anonymous=True)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("db.example.org", "https://db.example.org"),
        ("https://DB.Example.org/", "https://db.example.org"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("https://db.example.org/xnat//", "https://db.example.org/xnat"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_addresses_are_kept_in_one_form(tmp_path: Path, written: str, kept: str) -> None:
    assert xnat(tmp_path, written, anonymous=True).server == kept


@pytest.mark.parametrize(
    "server",
    [
        "ftp://db.example.org",
        "https://",
        "https://db.example.org:port",
        "https://db.example.org:99999",
        "https://db.example.org/?a=b",
        "https://db.example.org/#x",
        "https://db example.org",
        "https://db.example.org\nHost: evil",
        "https://[::1",
    ],
)
def test_what_is_no_address_gets_one_sentence(tmp_path: Path, server: str) -> None:
    with pytest.raises(ConfigError, match="Write it like"):
        xnat(tmp_path, server, anonymous=True)


@pytest.mark.parametrize(
    "server", ["https://me:hunter2@db.example.org", "me:hunter2@db.example.org", "http:/me:hunter2@x"]
)
def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path: Path, server: str) -> None:
    with pytest.raises(ConfigError) as caught:
        xnat(tmp_path, server, anonymous=True)
    assert "hunter2" not in str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="XNAT_HOST"):
        xnat(tmp_path)
    with pytest.raises(ConfigError, match="anonymous=True"):
        xnat(tmp_path, SERVER)
    with pytest.raises(ConfigError, match="No password is known for me"):
        xnat(tmp_path, SERVER, "me")
    with pytest.raises(ConfigError, match="without a user"):
        xnat(tmp_path, SERVER, password="word")


def test_an_unknown_profile_is_told_which_there_are(tmp_path: Path) -> None:
    write(tmp_path, CONFIG, TOML)
    with pytest.raises(ConfigError, match="borrowed, lab, open, token"):
        xnat(tmp_path, profile="home")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (CONFIG, "default = "),
        (CONFIG, "profiles = 3\ndefault = 'a'"),
        (CONFIG, "[profiles]\nlab = 'x'"),
        (CONFIG, "default = 5"),
        (CONFIG, "default='lab'\n[profiles.lab]\nserver = ['a']"),
        (".netrc", "machine db.example.org login me hunter2 word\n"),
    ],
)
def test_a_broken_file_is_named_and_its_secrets_are_not(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    with pytest.raises(ConfigError) as caught:
        xnat(tmp_path, SERVER, profile="lab" if name == CONFIG else None)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_broken_netrc_does_not_matter_to_who_says_all_there_is_to_say(tmp_path: Path) -> None:
    write(tmp_path, ".netrc", "nonsense")
    assert xnat(tmp_path, SERVER, "me", "word") == XnatSettings(SERVER, "me", "word")


def test_no_secret_shows_in_a_repr(tmp_path: Path) -> None:
    settings = xnat(tmp_path, SERVER, "me", "hunter2")
    s3 = s3_settings("KEY", "hunter2", session_token="hunter2", environment={}, home=tmp_path)
    assert "hunter2" not in f"{settings!r} {settings} {s3!r} {s3}"


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / CONFIG).mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read"):
        xnat(tmp_path, SERVER)
