"""A subject made of seeded noise: the sizes of a real one's files, under keys of a release, with a manifest.

Noise neither compresses nor repeats, so no copier gains by cleverness.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from connectomedb.hcp.manifest import Entry, Manifest, format_manifest, manifest_path

SUBJECT = "100307"
PROJECT = "HCP_Q1"
PREFIX = f"q1/{SUBJECT}/"
SEED = 1200


@dataclass(frozen=True, slots=True)
class Dataset:
    """How many files of which sizes: each kind as (count, least bytes, most bytes)."""

    small: tuple[int, int, int]
    medium: tuple[int, int, int] = (0, 0, 0)
    large: tuple[int, int, int] = (0, 0, 0)
    has_manifest: bool = True

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Path inside the subject and size, in bytes."""
        dice = random.Random(SEED)
        for kind, folder in ((self.small, "EVs"), (self.medium, "Native"), (self.large, "Runs")):
            count, least, most = kind
            for number in range(count):
                place = f"MNINonLinear/Results/{number // 50:04}/{folder}"
                yield f"{place}/{number:05}.dat", dice.randint(least, most)

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Key and content of every file, the manifest last."""
        entries: list[Entry] = []
        for number, (path, size) in enumerate(self.sizes()):
            content = random.Random(f"{SEED} {number}").randbytes(size)
            if self.has_manifest:
                entries.append(Entry(path, size, hashlib.md5(content, usedforsecurity=False).hexdigest()))
            yield f"{PREFIX}{path}", content
        if self.has_manifest:
            document = format_manifest(Manifest(SUBJECT, tuple(entries)))
            yield f"{PREFIX}{manifest_path(SUBJECT, '3T_all')}", document

    @property
    def count(self) -> int:
        """Files, the manifest among them."""
        return self.small[0] + self.medium[0] + self.large[0] + self.has_manifest

    @property
    def size(self) -> int:
        """Bytes, without the manifest's."""
        return sum(size for _, size in self.sizes())

    def describe(self) -> str:
        """In words."""
        kinds = [
            f"{count} of {_size(least)}-{_size(most)}" if least != most else f"{count} of {_size(least)}"
            for count, least, most in (self.small, self.medium, self.large)
            if count
        ]
        return f"{self.count} files, {self.size / 1e6:.0f} MB: {', '.join(kinds)}"


def _size(size: int) -> str:
    return f"{size / 1e6:g} MB" if size >= 1_000_000 else f"{size / 1e3:g} KB"
