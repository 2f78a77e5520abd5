"""All pages of the browser's side, each from the module that makes it."""

from connectomedb.server.pages import assets, cohorts, dashboard, front, queue, sign_in

PAGES = (
    *assets.WAYS,
    *sign_in.WAYS,
    *front.WAYS,
    *dashboard.WAYS,
    *cohorts.WAYS,
    *queue.WAYS,
)
