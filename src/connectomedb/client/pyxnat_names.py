"""Lets scripts written for the pyxnat that ConnectomeDB shipped run on this package, unchanged.

import connectomedb; connectomedb.install_as_pyxnat()
from pyxnat import Interface
from pyxnat.core.mirror import S3Bucket, S3Mirror
"""

import sys
from types import ModuleType

from connectomedb.client.interface import Interface
from connectomedb.errors import ConfigError
from connectomedb.mirror.bucket import S3Bucket
from connectomedb.mirror.mirror import S3Mirror

_MARK = "__connectomedb__"

_MODULES: dict[str, dict[str, object]] = {
    "pyxnat": {"Interface": Interface},
    "pyxnat.core": {"Interface": Interface},
    "pyxnat.core.interfaces": {"Interface": Interface},
    "pyxnat.core.mirror": {"S3Bucket": S3Bucket, "S3Mirror": S3Mirror},
}
"""Module → what scripts import from it."""


def install_as_pyxnat() -> None:
    """From now on `import pyxnat` in this process gives our classes; calling it again changes nothing.

    Only the names above are there; anything else of pyxnat is an ImportError, not a silent mixture of the two.
    Raises: ConfigError when the real pyxnat is imported already.
    """
    there = sys.modules.get("pyxnat")
    if there is not None and not hasattr(there, _MARK):
        raise ConfigError("pyxnat itself is imported already. Call install_as_pyxnat() before anything imports it.")
    if there is not None:
        return
    for name, members in _MODULES.items():
        module = ModuleType(name, f"Names of {name}, given by connectomedb.")
        module.__path__ = []  # a package without folder: submodules are those put here
        vars(module).update(members)
        setattr(module, _MARK, True)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
