"""Which of a subject's files are wanted, as a value: a path, globs, packages.

Each part narrows what the others leave: a file is chosen when it lies at or below `path`, belongs to one of
`packages` if any is named, matches one of `include` if any is given, and matches none of `exclude`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from connectomedb.errors import AddressError
from connectomedb.hcp.glob import compile_glob
from connectomedb.hcp.packages import matches, package
from connectomedb.hcp.paths import check_path
from connectomedb.hcp.release import Release
from connectomedb.mirror.ledger import is_within


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files inside a subject.

    Attributes:
        path: a file or folder as the bucket has it; empty for the whole subject.
        include, exclude: globs of whole paths inside the subject. `*` stays within a folder, `**` does not,
            `{a,b}` is either, `?` one character; a glob that ends in `/` means all below.
        packages: ids of packages, like `3T_tfMRI_MOTOR_preproc` (hcp.packages).
    Raises: AddressError for a path that climbs, a glob that is not well formed or an unknown package.
    """

    path: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        path = self.path.strip("/")
        object.__setattr__(self, "path", check_path(path) if path else "")
        for kind in ("include", "exclude", "packages"):
            object.__setattr__(self, kind, _words(getattr(self, kind)))
        for glob in (*self.include, *self.exclude):
            compile_glob(glob)
        for name in self.packages:
            package(name)

    @classmethod
    def of(cls, choice: "Choice | str") -> "Choice":
        """The choice itself, or that of a path."""
        return cls(choice) if isinstance(choice, str) else choice

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> Self:
        """Read what `format` writes. Raises AddressError."""
        path, *rest = (document.get(name, ()) for name in ("path", "include", "exclude", "packages"))
        if not isinstance(path, str) or not all(isinstance(words, list) for words in rest):
            raise AddressError(f"Asked for {dict(document)}: that is no choice of files.")
        include, exclude, packages = (_words(words) for words in rest)
        return cls(path, include, exclude, packages)

    def format(self) -> dict[str, object]:
        """As a value for JSON."""
        return {
            "path": self.path,
            "include": list(self.include),
            "exclude": list(self.exclude),
            "packages": list(self.packages),
        }

    @property
    def is_filtered(self) -> bool:
        """Whether it may leave out files at or below its path."""
        return bool(self.include or self.exclude or self.packages)

    def __str__(self) -> str:
        """In words, for messages: `T1w, package 3T_Diffusion_preproc, without *.txt`."""
        parts = (
            self.path,
            *(f"package {name}" for name in self.packages),
            " or ".join(self.include),
            f"without {' and '.join(self.exclude)}" if self.exclude else "",
        )
        return ", ".join(filter(None, parts)) or "all files"

    def in_bucket(self, release: Release) -> "Choice":
        """The same with its path as the bucket has it; it may be spelled as a release path."""
        path = release.in_bucket(self.path)
        return self if path == self.path else replace(self, path=path)

    def filter(self, release: Release, subject: str) -> Callable[[str], bool]:
        """Whether a path inside the subject, as the bucket has it, is chosen.

        Packages speak of release paths; globs may speak of either.
        """
        include = [compile_glob(glob) for glob in self.include]
        exclude = [compile_glob(glob) for glob in self.exclude]
        packages = [package(name) for name in self.packages]

        def is_chosen(path: str) -> bool:
            if not is_within(path, self.path):
                return False
            released = release_path(release, path)
            asked = {f"{subject}/{path}", f"{subject}/{released}"}
            return (
                (not packages or any(matches(one, released, subject) for one in packages))
                and (not include or any(glob.fullmatch(text) for glob in include for text in asked))
                and not any(glob.fullmatch(text) for glob in exclude for text in asked)
            )

        return is_chosen if self.is_filtered else lambda path: is_within(path, self.path)


def _words(words: object) -> tuple[str, ...]:
    """Several words, each once; a single one may come bare."""
    if isinstance(words, str):
        return (words,)
    if not isinstance(words, Iterable):
        raise AddressError(f"Asked for {words!r}, which is no list of words.")
    return tuple(dict.fromkeys(str(word) for word in words))


def release_path(release: Release, path: str) -> str:
    """The release path of a file, given its path in the bucket."""
    try:
        return release.from_bucket(path)
    except AddressError:  # a stray file that the release would keep elsewhere: it belongs to no package
        return path
