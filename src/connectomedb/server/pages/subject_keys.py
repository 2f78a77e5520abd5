"""The form of subject keys on a project's page."""

from starlette.responses import Response

from connectomedb.server.pages.ask import ask
from connectomedb.server.pages.forms import form_way, send_on
from connectomedb.server.pages.render import segment
from connectomedb.server.routes.call import Call
from connectomedb.server.routes.parameters import Parameters
from connectomedb.server.routes.subject_keys import MAX_BYTES


def post_key(call: Call, form: Parameters) -> Response:
    """Keep a key, or delete one."""
    project = segment(call.words["project"])
    address = f"/data/projects/{project}/subject_keys/{segment(form.get('name').strip())}"
    if form.get("delete"):
        ask(call, address, "DELETE")
        return send_on(f"/projects/{project}", "key-deleted")
    words = {name: form.get(name) for name in ("title", "description", "pmid")}
    words["shared"] = form.get("shared") or "false"
    ask(call, address, "PUT", body=form.get("codes").encode(), parameters=words)
    return send_on(f"/projects/{project}", "key-kept")


WAYS = (form_way("/projects/{project}/keys", post_key, max_bytes=MAX_BYTES),)
