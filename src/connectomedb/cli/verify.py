"""`cdb verify`: read files again and say whether they are what was published."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._errors import INTEGRITY, OK
from connectomedb.cli._options import JSON
from connectomedb.errors import NotFound
from connectomedb.transfer.checksum import Proof

if TYPE_CHECKING:
    from connectomedb.mirror.verify import Finding


@click.command(name="verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("subjects", nargs=-1)
@click.option("--path", default="", help="Only what lies at or below this path inside the subject.")
@click.option("--at-least", type=click.Choice([proof.value for proof in Proof]), help="Weaker proofs count as bad.")
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Files at once.")
@JSON
def command(folder: Path, subjects: tuple[str, ...], path: str, at_least: str | None, jobs: int, as_json: bool) -> int:
    """Read files again: ok, missing, size, checksum, uncovered, extra or conflict.

    FOLDER is a mirror, or any folder whose six-digit folders are subjects. Nothing is asked of the network.
    Exit code 8 when a file is not what was published.

    \b
    cdb verify brains
    cdb verify brains 100307 --path T1w --at-least manifest
    cdb verify /mnt/disk1 --json
    """
    findings: list[Finding] = []
    for finding in _findings(folder, subjects, path, jobs):
        findings.append(finding)
        if not as_json and finding.verdict != "ok":
            detail = f"  {finding.detail}" if finding.detail else ""
            _output.show_lines([f"{finding.verdict:<10}{finding.subject}/{finding.path}{detail}"])
    counts = Counter(finding.verdict.value for finding in findings)
    weak = [finding for finding in findings if at_least and not finding.holds(Proof(at_least))]
    bad = weak or [finding for finding in findings if finding.verdict.is_bad]
    if as_json:
        rows = [
            {"subject": f.subject, "path": f.path, "verdict": f.verdict, "proof": f.proof, "detail": f.detail}
            for f in findings
        ]
        _output.show_json({"counts": counts, "weaker": len(weak), "files": rows})
    summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    _output.say(f"{len(findings)} files: {summary or 'none'}" + (f"; {len(weak)} below {at_least}" if weak else ""))
    return INTEGRITY if bad else OK


def _findings(folder: Path, subjects: tuple[str, ...], path: str, jobs: int) -> "Iterator[Finding]":
    """A mirror has a ledger per release; any other folder is one tree."""
    from connectomedb.mirror.ledger import FOLDER, Ledger
    from connectomedb.mirror.verify import verify

    if not folder.is_dir():
        raise NotFound(f"Asked to verify {folder}. There is no such folder.")
    state = folder / FOLDER
    if not state.is_dir():
        yield from verify(folder, subjects, path.strip("/"), workers=jobs)
        return
    for ledger in Ledger.all_in(folder):
        here = [subject for subject in subjects or ledger.subjects() if subject in set(ledger.subjects())]
        yield from verify(ledger.tree, here, path.strip("/"), ledger=ledger, workers=jobs) if here else ()
