"""Which trees of subjects a folder holds: the releases of a mirror, or the folder itself, like a shipped disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import ConfigError, NotFound
from connectomedb.hcp.release import Release, release_of
from connectomedb.mirror.checked import Checked
from connectomedb.mirror.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder whose six-digit folders are subjects.

    Attributes:
        folder: where it lies.
        subjects: those that are meant; none means all.
        ledger: what the mirror recorded of it; None when it is no mirror.
        project: its release, where that is known.
        prefix: key prefix of the release, where that is known and not the usual one.
    """

    folder: Path
    subjects: tuple[str, ...] = ()
    ledger: Ledger | None = None
    project: str | None = None
    prefix: str | None = None

    @property
    def checked(self) -> Checked:
        """Notes of an interrupted verification of it."""
        return Checked.of(self.folder, self.ledger)

    def place(self) -> tuple[Path, Release]:
        """Root and release of the mirror that this tree is, or can become. Raises ConfigError when it cannot."""
        if not self.project:
            raise ConfigError(
                f"Asked to fetch into {self.folder}. It does not tell which release it is: name the project."
            )
        release = release_of(self.project, self.prefix)
        parts = release.prefix.split("/")
        folder = self.folder.absolute()
        if list(folder.parts[-len(parts) :]) != parts:
            raise ConfigError(
                f"Asked to fetch into {self.folder}. The folder of {self.project} must be named {release.prefix}: "
                "rename it, or name another prefix."
            )
        return folder.parents[len(parts) - 1], release


def trees_in(
    folder: Path, subjects: Sequence[str] = (), *, project: str | None = None, prefix: str | None = None
) -> list[Tree]:
    """The trees in a folder that hold the given subjects (default: all).

    Args:
        project, prefix: in a mirror, only that release; of another folder, what it is.
    Raises: NotFound when there is no such folder, release or subject in a mirror.
    """
    if not folder.is_dir():
        raise NotFound(f"Asked to verify {folder}. There is no such folder.")
    ledgers = Ledger.all_in(folder)
    if not ledgers:
        return [Tree(folder, tuple(subjects), None, project, prefix)]
    trees: list[Tree] = []
    for ledger in ledgers:
        known = {subject for subject in subjects if (ledger.tree / subject).is_dir()}.union(ledger.subjects())
        here = tuple(subject for subject in subjects if subject in known)
        is_meant = project in (None, ledger.project) and prefix in (None, ledger.prefix)
        if is_meant and (here or not subjects):
            trees.append(Tree(ledger.tree, here, ledger, ledger.project or project, ledger.prefix))
    lost = sorted(set(subjects).difference(*(tree.subjects for tree in trees)))
    if lost or not trees:
        raise NotFound(
            f"Asked to verify {', '.join(lost) or project or prefix} in {folder}. It is not there: get it first."
        )
    return trees
