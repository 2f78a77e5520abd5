"""Files of a mirror under other names: links, so that no byte is stored twice."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from connectomedb.errors import DiskRefused
from connectomedb.hcp.arrangement import BIDS_DESCRIPTION, Arrangement, arranged, bids_description
from connectomedb.transfer.disk import disk_faults
from connectomedb.transfer.whole import write_whole

_NO_HARD_LINKS = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP)
"""Another disk, one that has none, or too many of them."""


@dataclass(frozen=True, slots=True)
class Links:
    """A folder of links to a mirror's files: hard ones on the same disk, symbolic ones elsewhere.

    A hard link is the file itself: whoever writes into it changes the mirror, whose next verification finds it.
    """

    folder: Path
    arrangement: Arrangement

    def add(self, project: str, subject: str, path: str, local: Path) -> Path:
        """Link a file of the mirror; its new name. What is linked already stays.

        Args:
            path: inside the subject, as a release path.
            local: where the mirror has it.
        Raises: DiskRefused when something else has the name; DiskFull, TransferError.
        """
        link = self.folder / arranged(self.arrangement, subject, path)
        with disk_faults(link):
            link.parent.mkdir(parents=True, exist_ok=True)
            self._describe(project)
            if not _is_same(local, link):
                _link(local, link)
        return link

    def _describe(self, project: str) -> None:
        description = self.folder / BIDS_DESCRIPTION
        if self.arrangement is Arrangement.BIDS and not description.exists():
            write_whole(description, bids_description(project).encode())


def _is_same(local: Path, link: Path) -> bool:
    """Whether the link is there. Raises DiskRefused when something else has its name."""
    if not os.path.lexists(link):
        return False
    if link.exists() and os.path.samefile(local, link):
        return True
    raise DiskRefused(
        f"Asked to link {link}. Something else has this name. Remove it, or choose another folder.", path=str(link)
    )


def _link(local: Path, link: Path) -> None:
    try:
        os.link(local, link)
    except FileExistsError:
        _is_same(local, link)  # another process was faster
    except OSError as fault:
        if fault.errno not in _NO_HARD_LINKS:
            raise
        os.symlink(os.path.relpath(local, link.parent), link)
