"""Where the examples lie: inside an installed package, or beside `src/` in a checkout."""

from pathlib import Path

from connectomedb.errors import ConfigError


def example(name: str) -> Path:
    """The path of an example. Raises ConfigError when this installation lacks it."""
    package = Path(__file__).parents[1]
    for folder in (package / "examples", package.parents[1] / "examples"):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"Asked for the example {name}. This installation lacks it: install connectomedb again.")
