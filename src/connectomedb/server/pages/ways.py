"""All pages of the browser's side, each from the module that makes it."""

from connectomedb.server.pages import (
    account,
    admin,
    assets,
    dictionary,
    files,
    front,
    people,
    project,
    sign_in,
    subject,
    terms,
    view,
)

PAGES = (
    *assets.WAYS,
    *sign_in.WAYS,
    *front.WAYS,
    *account.WAYS,
    *admin.WAYS,
    *dictionary.WAYS,
    *terms.WAYS,
    *people.WAYS,
    *files.WAYS,
    *view.WAYS,
    *subject.WAYS,
    *project.WAYS,
)
"""The first that fits wins."""
