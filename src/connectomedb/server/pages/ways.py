"""All pages of the browser's side, each from the module that makes it."""

from connectomedb.server.pages import assets, front, sign_in, view

PAGES = (
    *assets.WAYS,
    *sign_in.WAYS,
    *front.WAYS,
    *view.WAYS,
)
