"""A view of the dashboard as something to paste elsewhere: it finds exactly the same subjects."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from connectomedb.server.pages.explored import explore_address
from connectomedb.server.pages.selection import Selection


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to have the view. `address` is where its text comes from if it is not known yet."""

    id: str
    label: str
    text: str
    address: str = ""


def snippets(selection: Selection, columns: Sequence[str], server: str, login: str) -> list[Snippet]:
    """The view as Python, shell, curl and lockfile.

    Args:
        columns: those shown, without the subject.
        server: its address, without a slash at the end.
        login: whose view it is; empty for a guest. Passwords are asked for, or come from the environment.
    """
    lockfile = f"{explore_address(selection.project)}/lockfile?{urlencode(selection.asked)}"
    return [
        Snippet("python", "Python", _python(selection, columns, server, login)),
        Snippet("shell", "Shell", _shell(selection, server, login)),
        Snippet("curl", "curl", _curl(selection, columns, server, login)),
        Snippet("lockfile", "Lockfile", "", lockfile),
    ]


def csv_address(selection: Selection, columns: Sequence[str]) -> str:
    """All rows of the view as CSV."""
    words = {**selection.asked, "columns": ",".join(columns), "sort": selection.sort}
    words |= {"descending": "true"} if selection.is_descending else {}
    words |= {"format": "csv"}
    return f"{explore_address(selection.project)}?{urlencode({name: word for name, word in words.items() if word})}"


def sign_in_options(server: str, login: str) -> list[str]:
    """Options of `cdb` that name the server, and who asks it."""
    return ["--server", server, *(["--user", login] if login else ["--anonymous"])]


def quoted(word: str) -> str:
    """A word for a shell, as a person would quote it: with double quotes where it has single ones and nothing odd."""
    is_plain = "'" in word and not any(letter in word for letter in '"\\$`!')
    return f'"{word}"' if is_plain else shlex.quote(word)


def _join(words: Sequence[str]) -> str:
    return " ".join(map(quoted, words))


def _python(selection: Selection, columns: Sequence[str], server: str, login: str) -> str:
    shown = ", ".join(map(repr, columns))
    whom = "" if login else ", anonymous=True"
    measures = f", data_type={selection.data_type!r}" if selection.data_type else ""
    return (
        "# User and password come from XNAT_USER and XNAT_PASS, a profile, netrc or keyring.\n"
        "import connectomedb as cdb\n\n"
        f"with cdb.Interface({server!r}{whom}) as db:\n"
        f"    cohort = db.where({selection.where!r}, project={selection.project!r}{measures})\n"
        "    subjects = cohort.subjects()\n"
        f"    table = cohort.table({shown})\n"
        '    print("\\n".join(subjects))\n'
    )


def _shell(selection: Selection, server: str, login: str) -> str:
    words = ["cdb", "cohort", "find", selection.where, "--project", selection.project]
    measures = ["--type", selection.data_type] if selection.data_type else []
    return _join([*words, *measures, *sign_in_options(server, login)])


def _curl(selection: Selection, columns: Sequence[str], server: str, login: str) -> str:
    words = [
        "curl",
        "--fail",
        *(["--user", login] if login else []),
        "--get",
        f"{server}{explore_address(selection.project)}",
    ]
    asked = {**selection.asked, "columns": ",".join(columns), "format": "csv"}
    for name, word in asked.items():
        words += ["--data-urlencode", f"{name}={word}"]
    return _join(words)
