"""What verifying one file came to."""

from dataclasses import dataclass
from enum import StrEnum

from connectomedb.transfer.checksum import Proof


class Verdict(StrEnum):
    """What verifying one file came to."""

    OK = "ok"
    MISSING = "missing"
    SIZE = "size"
    CHECKSUM = "checksum"
    UNCOVERED = "uncovered"
    EXTRA = "extra"
    CONFLICT = "conflict"

    @property
    def is_bad(self) -> bool:
        """Whether the file is not what was published; uncovered and extra ones just cannot be judged."""
        return self in (Verdict.MISSING, Verdict.SIZE, Verdict.CHECKSUM, Verdict.CONFLICT)


@dataclass(frozen=True, slots=True)
class Finding:
    """One file: subject, path inside it, verdict, the proof that holds, and details in words."""

    subject: str
    path: str
    verdict: Verdict
    proof: Proof | None = None
    detail: str = ""

    def holds(self, least: Proof) -> bool:
        """Whether the file is right and its proof at least as strong as `least`."""
        return self.proof is not None and self.proof.holds(least)
