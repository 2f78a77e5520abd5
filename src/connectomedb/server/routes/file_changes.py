"""Requests that make or delete resources and files, of whatever owns them."""

from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from connectomedb.errors import AddressError
from connectomedb.server.routes.call import Call, Intake, Way
from connectomedb.server.routes.items import read_address
from connectomedb.server.routes.resource_changes import delete_files, delete_resources, post_resource, put_resource
from connectomedb.server.routes.uploads import receive_files
from connectomedb.xnat.address import Level


class _Owner(Convertor[str]):
    """Words of an address by pairs, so that an object may be labelled `files` or `resources`."""

    regex = (
        "(?:projects|subjects|experiments)/[^/]+"
        "(?:/(?:subjects|experiments|scans|reconstructions|assessors)/[^/]+)*(?:/(?:in|out))?"
    )

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("owner", _Owner())


def change_files(call: Call) -> Response | Intake:
    """Make or delete what an address of resources or files names."""
    address = read_address(call.path)
    if address.listing is Level.FILES or address.get(Level.FILES) is not None:
        return delete_files(call, address) if call.method == "DELETE" else receive_files(call, address)
    if address.listing is None:
        return delete_resources(call, address) if call.method == "DELETE" else put_resource(call, address)
    if call.method == "POST":
        return post_resource(call, address)
    raise AddressError(f"Asked to {call.method} the list of resources. Name one, by label or number.")


WAYS = tuple(
    Way("PUT POST DELETE", f"/data/{{above:owner}}/{below}", change_files, is_slow=True)
    for below in ("resources", "resources/{label:path}", "files", "files/{path:path}")
)
