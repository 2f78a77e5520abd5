"""From a question about behaviour to exactly the imaging files that answer it.

The names below are the whole public door; each is imported when first used, so that
`import connectomedb` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from connectomedb.__about__ import __version__

if TYPE_CHECKING:
    from connectomedb import errors
    from connectomedb.client.interface import Interface
    from connectomedb.client.pyxnat_names import install_as_pyxnat
    from connectomedb.client.table import Table
    from connectomedb.mirror.bucket import S3Bucket
    from connectomedb.mirror.choice import Choice
    from connectomedb.mirror.mirror import Mirror, S3Mirror
    from connectomedb.mirror.options import Options

__all__ = [
    "Choice",
    "Interface",
    "Mirror",
    "Options",
    "S3Bucket",
    "S3Mirror",
    "Table",
    "__version__",
    "errors",
    "install_as_pyxnat",
]

_HOMES = {
    "Choice": "mirror.choice",
    "Interface": "client.interface",
    "Mirror": "mirror.mirror",
    "Options": "mirror.options",
    "S3Bucket": "mirror.bucket",
    "S3Mirror": "mirror.mirror",
    "Table": "client.table",
    "install_as_pyxnat": "client.pyxnat_names",
}


def __getattr__(name: str) -> object:
    """Import a public name's home on first use (PEP 562)."""
    if name == "errors":
        return import_module("connectomedb.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'connectomedb' has no attribute {name!r}")
    return getattr(import_module(f"connectomedb.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
