"""What lies in the folder of a user: our configuration file and others."""

from pathlib import Path

SERVER = "https://db.example.org"
TOML = """
default = "lab"

[profiles.lab]
server = "https://lab.example.org/xnat/"
user = "lab-user"
password = "lab-word"

[profiles.token]
server = "https://token.example.org"
alias = "0c36eb5b-0000-4000-8000-000000000000"
secret = "token-secret"

[profiles.lab.s3]
access_key = "LABKEY"
secret_key = "lab-s3-secret"
region = "eu-west-1"
endpoint_url = "http://s3.lab.example.org"

[profiles.open.s3]
anonymous = true

[profiles.borrowed.s3]
aws_profile = "work"
"""
CONFIG = ".config/connectomedb/config.toml"
WORD = "word"


def write(home: Path, name: str, text: str) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
