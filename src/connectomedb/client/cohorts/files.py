"""The paths of one subject's files, listed when first looked at: most subjects are judged without."""

from collections.abc import Collection, Iterator
from functools import cached_property

from connectomedb.errors import NotFound
from connectomedb.hcp.release import release_of
from connectomedb.mirror.choice import release_path
from connectomedb.mirror.mirror import Mirror


class SubjectFiles(Collection[str]):
    """Paths inside the subject, as its release and its bucket have them. Raises StoreError if none can be listed."""

    def __init__(self, mirror: Mirror, project: str, subject: str) -> None:
        self._mirror = mirror
        self._project = project
        self._subject = subject

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        try:
            plan = self._mirror.plan(self._subject, project=self._project)
        except NotFound:
            return ()
        release = release_of(self._project)
        stored = [action.path for action in plan.actions]
        return tuple(dict.fromkeys((*stored, *(release_path(release, path) for path in stored))))
