"""Every address of people, every kind of caller: who gets which status."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from connectomedb.server.routes import audit, favorites, grants, membership, tokens, users

if TYPE_CHECKING:
    from tests.server.accounts.conftest import Club

CALLERS = ("nobody", "guest", "stranger", "reader", "member", "owner", "admin")
CLOSED = "/data/projects/CLOSED"
NEW = {"username": "", "password": "correct horse"}

# Expected status per caller, in the order of CALLERS. `guest` asks the site that is open to guests.
MATRIX: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "/data/users"): (401, 403, 403, 403, 403, 403, 200),
    ("GET", "/xapi/users"): (401, 403, 403, 403, 403, 403, 200),
    ("POST", "/xapi/users"): (401, 403, 403, 403, 403, 403, 201),
    ("GET", "/xapi/users/profiles"): (401, 403, 403, 403, 403, 403, 200),
    ("GET", "/xapi/users/current"): (401, 401, 200, 200, 200, 200, 200),
    ("GET", "/xapi/users/active"): (401, 401, 403, 403, 403, 403, 200),
    ("GET", "/xapi/users/active/reader"): (401, 401, 403, 200, 403, 403, 200),
    ("DELETE", "/xapi/users/active/nobodyhere"): (401, 401, 403, 403, 403, 403, 404),
    ("GET", "/xapi/users/reader"): (401, 401, 403, 200, 403, 403, 200),
    ("PUT", "/xapi/users/reader"): (401, 401, 403, 304, 403, 403, 304),
    ("PUT", "/xapi/users/reader/enabled/true"): (401, 403, 403, 403, 403, 403, 304),
    ("PUT", "/xapi/users/reader/verified/true"): (401, 403, 403, 403, 403, 403, 304),
    ("GET", "/xapi/users/reader/roles"): (401, 401, 403, 200, 403, 403, 200),
    ("PUT", "/xapi/users/admin/roles/Administrator"): (401, 403, 403, 403, 403, 403, 200),
    ("DELETE", "/xapi/users/reader/roles/Administrator"): (401, 403, 403, 403, 403, 403, 200),
    ("GET", "/xapi/users/reader/groups"): (401, 401, 403, 200, 403, 403, 200),
    ("PUT", "/xapi/users/reader/groups/CLOSED_collaborator"): (401, 404, 404, 403, 403, 200, 200),
    ("DELETE", "/xapi/users/stranger/groups/CLOSED_owner"): (401, 404, 404, 403, 403, 200, 200),
    ("GET", "/xapi/access/projects"): (401, 200, 200, 200, 200, 200, 200),
    ("GET", "/data/users/favorites/Project"): (401, 403, 200, 200, 200, 200, 200),
    ("PUT", "/data/users/favorites/Project/CLOSED"): (401, 403, 404, 200, 200, 200, 200),
    ("DELETE", "/data/users/favorites/Project/CLOSED"): (401, 403, 404, 200, 200, 200, 200),
    ("GET", f"{CLOSED}/users"): (401, 404, 404, 200, 200, 200, 200),
    ("PUT", f"{CLOSED}/users/Collaborators/reader"): (401, 404, 404, 403, 403, 200, 200),
    ("DELETE", f"{CLOSED}/users/Owners/stranger"): (401, 404, 404, 403, 403, 200, 200),
    ("GET", f"{CLOSED}/groups"): (401, 404, 404, 200, 200, 200, 200),
    ("GET", f"{CLOSED}/groups/owner"): (401, 404, 404, 200, 200, 200, 200),
    ("PUT", f"{CLOSED}/groups/raters?displayName=Raters"): (401, 404, 404, 403, 403, 200, 200),
    ("DELETE", f"{CLOSED}/groups/nonesuch"): (401, 404, 404, 403, 403, 404, 404),
    ("GET", f"{CLOSED}/accessibility"): (401, 404, 404, 200, 200, 200, 200),
    ("PUT", f"{CLOSED}/accessibility/private"): (401, 404, 404, 403, 403, 200, 200),
    ("GET", f"{CLOSED}/grants"): (401, 404, 404, 403, 403, 200, 200),
    ("PUT", f"{CLOSED}/grants/stranger/restricted"): (401, 404, 404, 403, 403, 200, 200),
    ("DELETE", f"{CLOSED}/grants/stranger"): (401, 404, 404, 403, 403, 200, 200),
    ("PUT", "/data/projects/RECORD/users/collaborator/stranger"): (401, 403, 403, 403, 403, 403, 200),
    ("DELETE", "/data/projects/RECORD/users/collaborator/stranger"): (401, 403, 403, 403, 403, 403, 200),
    ("GET", "/data/projects/OPEN/users"): (401, 403, 200, 200, 200, 200, 200),
    ("GET", "/data/audit"): (401, 403, 403, 403, 403, 403, 200),
    ("GET", "/data/services/tokens/issue"): (401, 403, 200, 200, 200, 200, 200),
    ("GET", "/data/services/tokens/issue/user/reader"): (401, 403, 403, 200, 403, 403, 200),
    ("GET", "/data/services/tokens/show"): (401, 401, 200, 200, 200, 200, 200),
    ("GET", "/data/services/tokens/validate/a/b"): (401, 200, 200, 200, 200, 200, 200),
    ("GET", "/data/services/tokens/invalidate/a"): (401, 401, 404, 404, 404, 404, 404),
    ("GET", "/data/services/tokens/invalidate/a/b"): (401, 401, 404, 404, 404, 404, 404),
    ("GET", "/data/services/tokens/nonsense"): (401, 400, 400, 400, 400, 400, 400),
}


@pytest.mark.parametrize(("method", "address"), MATRIX, ids=lambda word: word)
def test_who_may(club: Club, open_house: Club, method: str, address: str) -> None:
    got = []
    for caller in CALLERS:
        where = open_house if caller == "guest" else club
        login = None if caller in ("guest", "nobody") else caller
        content = json.dumps({**NEW, "username": f"made{next(club.numbers)}"} if method == "POST" else {})
        with where.client(login) as client:
            got.append(client.request(method, address, content=content).status_code)
    assert dict(zip(CALLERS, got, strict=True)) == dict(zip(CALLERS, MATRIX[method, address], strict=True))


def test_no_address_is_forgotten() -> None:
    def pattern(path: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"{\w+(:path)?}", "[^/]+", path))

    modules = (audit, favorites, grants, membership, tokens, users)
    served = [(method, way.path) for module in modules for way in module.WAYS for method in way.methods.split()]
    told = [(method, address.partition("?")[0]) for method, address in MATRIX]
    forgotten = [
        (method, path)
        for method, path in served
        if not any(method == other and pattern(path).fullmatch(address) for other, address in told)
    ]
    assert forgotten == []
