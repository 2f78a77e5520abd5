"""People of a server and of its projects, by pyxnat's names: `db.manage.users()`, `project.owners()`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from connectomedb.client.transport import Connection
from connectomedb.errors import NotFound, QueryError, UnexpectedReply

ROLES = ("owner", "member", "collaborator")
"""What a user can be in a project: owners hold all rights, members read and edit, collaborators read."""

ACCESSIBILITIES = ("private", "protected", "public")


@dataclass(frozen=True, slots=True)
class People:
    """Who is in one project, and whom it is open to. `uri` is the project's."""

    connection: Connection
    uri: str

    def logins(self, group: str | None = None) -> list[str]:
        """Logins of all, or of one group by its display name (`Owners`); one request."""
        return [row["login"] for row in self._rows() if group is None or row["displayname"] == group]

    def role(self, login: str) -> str:
        """`owner`, `member` or `collaborator`, or the name of a group of the project's own. Raises NotFound."""
        for row in self._rows():
            if row["login"] == login:
                role = row["displayname"].lower().removesuffix("s")
                return role if role in ROLES else row["displayname"]
        what = f"Asked {self.connection.name} for the role of {login} in {self.uri}. There is none."
        raise NotFound(what, method="GET", address=self.uri)

    def add(self, login: str, role: str) -> None:
        """Put a user into a group, and out of any other; one request."""
        self.connection.change("PUT", f"{self.uri}/users/{quote(_group(role), safe='')}/{quote(login, safe='')}")

    def remove(self, login: str) -> None:
        """Take a user out of the project; two requests. Raises NotFound when the user is not in it."""
        group = quote(_group(self.role(login)), safe="")
        self.connection.change("DELETE", f"{self.uri}/users/{group}/{quote(login, safe='')}")

    def accessibility(self) -> str:
        """`private`, `protected` or `public`."""
        return self.connection.get_bytes(f"{self.uri}/accessibility").decode().strip()

    def set_accessibility(self, accessibility: str) -> None:
        """Open or close the project. Raises QueryError for another word."""
        if accessibility not in ACCESSIBILITIES:
            raise QueryError(f"Asked to make a project {accessibility!r}. Say {', '.join(ACCESSIBILITIES)}.")
        self.connection.change("PUT", f"{self.uri}/accessibility/{accessibility}")

    def _rows(self) -> list[Mapping[str, str]]:
        return _rows(self.connection, f"{self.uri}/users", ("login", "displayname"))


class Users:
    """The users of a server. Called, it lists their logins; servers may keep the list for administrators."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> list[str]:
        """The logins of all; one request."""
        return [row["login"] for row in self._rows()]

    def firstname(self, login: str) -> str:
        """A user's first name; one request. Raises NotFound."""
        return self._one(login, "firstname")

    def lastname(self, login: str) -> str:
        """A user's last name; one request. Raises NotFound."""
        return self._one(login, "lastname")

    def email(self, login: str) -> str:
        """A user's mail address; one request. Raises NotFound."""
        return self._one(login, "email")

    def id(self, login: str) -> str:
        """The number of a user's account; one request. Raises NotFound."""
        return self._one(login, "xdat_user_id")

    def _one(self, login: str, column: str) -> str:
        for row in self._rows():
            if row["login"] == login:
                return row[column]
        what = f"Asked {self._connection.name} for the user {login}. There is none."
        raise NotFound(what, method="GET", address=_USERS)

    def _rows(self) -> list[Mapping[str, str]]:
        return _rows(self._connection, _USERS, ("xdat_user_id", "login", "firstname", "lastname", "email"))


class Manage:
    """What pyxnat keeps below `interface.manage`, as far as it is here."""

    def __init__(self, connection: Connection) -> None:
        self.users = Users(connection)


_USERS = "/data/users"


def _group(role: str) -> str:
    """Display name of a role's group; other words name groups of the project's own."""
    word = role.lower().removesuffix("s")
    return f"{word.capitalize()}s" if word in ROLES else role


def _rows(connection: Connection, address: str, columns: tuple[str, ...]) -> list[Mapping[str, str]]:
    table = connection.get_table(address)
    if table.rows and not set(columns) <= set(table.columns):
        raise UnexpectedReply(f"The listing {address} lacks columns: {', '.join(columns)} are due.", address=address)
    return [dict(zip(table.columns, cells, strict=True)) for cells in table.rows]
