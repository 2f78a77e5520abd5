"""The drawing in docs/architecture.md stays true: arrows, pure packages, and the folder listing."""

from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]


def test_imports_follow_the_arrows() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_the_architecture_page_names_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    packages = {path.parent.name for path in (ROOT / "src" / "connectomedb").glob("*/__init__.py")}
    assert packages
    assert {name for name in packages if f"`{name}/`" not in page} == set()


def test_the_changelog_begins_with_the_version() -> None:
    import connectomedb

    heading = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert heading.split()[1] == connectomedb.__version__
