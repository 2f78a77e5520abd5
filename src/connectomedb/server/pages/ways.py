"""All pages of the browser's side, each from the module that makes it."""

from connectomedb.server.pages import (
    account,
    admin,
    assets,
    cohorts,
    dashboard,
    dictionary,
    files,
    front,
    people,
    project,
    queue,
    sign_in,
    subject,
    subject_keys,
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
    *subject_keys.WAYS,
    *files.WAYS,
    *dashboard.WAYS,
    *cohorts.WAYS,
    *view.WAYS,
    *subject.WAYS,
    *project.WAYS,
    *queue.WAYS,
)
"""The first that fits wins."""
