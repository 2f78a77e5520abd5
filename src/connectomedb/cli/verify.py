"""`cdb verify`: read files again and say whether they are what was published; fetch again those that are not."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._errors import INTEGRITY, NO_SPACE, OK
from connectomedb.cli._options import JSON
from connectomedb.cli._sources import Sources, source_options
from connectomedb.errors import DiskFull, NotFound
from connectomedb.hcp import manifest
from connectomedb.transfer.checksum import Proof

if TYPE_CHECKING:
    from connectomedb.mirror.finding import Finding
    from connectomedb.mirror.mirror import Mirror
    from connectomedb.mirror.repair import Repair
    from connectomedb.mirror.trees import Tree
    from connectomedb.mirror.verify import OnVerify


@click.command(name="verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("subjects", nargs=-1)
@click.option("--path", default="", help="Only what lies at or below this path inside the subject.")
@click.option("--at-least", type=click.Choice([proof.value for proof in Proof]), help="Weaker proofs count as bad.")
@click.option("--restart", is_flag=True, help="Read everything, also what an interrupted run has read already.")
@click.option("--repair", is_flag=True, help="Fetch again what is missing or wrong.")
@click.option("--project", help="Release of a folder that is no mirror; --repair must know it.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Files at once [a few, by processors].")
@JSON
@source_options
def command(
    folder: Path,
    subjects: tuple[str, ...],
    path: str,
    at_least: str | None,
    restart: bool,
    repair: bool,
    project: str | None,
    jobs: int | None,
    as_json: bool,
    sources: Sources,
) -> int:
    """Read files again: ok, missing, size, checksum, uncovered, extra or conflict.

    FOLDER is a mirror, or any folder whose six-digit folders are subjects. Without --repair nothing is asked of the
    network. After an interruption the same command goes on where it stopped. Exit code 8 when a file is not what was
    published.

    \b
    cdb verify brains
    cdb verify brains 100307 --path T1w --at-least manifest
    cdb verify /mnt/disk1 --json
    cdb verify brains --repair --bucket hcp-openaccess
    """
    from connectomedb.mirror.trees import trees_in

    outcome = _Outcome(Proof(at_least) if at_least else None, as_json)
    trees = trees_in(folder, subjects, project=project, prefix=sources.prefix)
    with ExitStack() as stack:
        mirrors = [_open(stack, sources, tree) for tree in trees] if repair else []
        if restart:
            _forget(trees, path)
        with _output.reading("verifying") as on_event:
            _verify(trees, path, jobs, outcome, on_event)
        for tree, mirror in zip(trees, mirrors, strict=False):
            _repair(tree, mirror, path, outcome)
    _forget(trees, path)
    return outcome.tell()


def _forget(trees: "Sequence[Tree]", path: str) -> None:
    for tree in trees:
        tree.checked.forget(tree.subjects, path.strip("/"))


def _verify(trees: "Sequence[Tree]", path: str, jobs: int | None, outcome: "_Outcome", on_event: "OnVerify") -> None:
    """Read all trees. One of several may have nothing at the path."""
    from connectomedb.mirror.options import READERS
    from connectomedb.mirror.verify import verify

    lacking: list[NotFound] = []
    for tree in trees:
        findings = verify(
            tree.folder,
            tree.subjects,
            path,
            ledger=tree.ledger,
            checked=tree.checked,
            keep_notes=True,
            workers=jobs or READERS,
            on_event=on_event,
        )
        try:
            with closing(findings):
                for finding in findings:
                    outcome.hear(tree, finding)
        except NotFound as nothing:
            lacking.append(nothing)
    if len(lacking) == len(trees):
        raise lacking[0]


def _repair(tree: "Tree", mirror: "Mirror", path: str, outcome: "_Outcome") -> None:
    bad = outcome.bad(tree)
    if bad:
        with _output.progress("repairing") as on_event:
            repairs = mirror.repair(bad, project=tree.project or "", path=path, on_event=on_event)
        for one in repairs:
            outcome.mend(tree, one)


def _open(stack: ExitStack, sources: Sources, tree: "Tree") -> "Mirror":
    """The mirror that a tree is, or can become, over the sources that were named."""
    root, release = tree.place()
    return replace(sources, prefix=release.prefix).open(stack, root)


class _Outcome:
    """What verifying came to, and what became of it by repairing."""

    def __init__(self, least: Proof | None, as_json: bool) -> None:
        self._least = least
        self._as_json = as_json
        self._findings: dict[tuple[Path, str, str], Finding] = {}
        self._repairs: list[Repair] = []

    def hear(self, tree: "Tree", finding: "Finding") -> None:
        """Take one finding, and tell at once unless it is ok."""
        self._findings[tree.folder, finding.subject, finding.path] = finding
        if finding.verdict != "ok":
            self._line(finding.verdict, finding, finding.detail)

    def bad(self, tree: "Tree") -> "list[Finding]":
        """What is not as it was published."""
        return [
            found for (folder, *_), found in self._findings.items() if folder == tree.folder and found.verdict.is_bad
        ]

    def mend(self, tree: "Tree", repair: "Repair") -> None:
        """Take what repairing came to, and tell."""
        self._repairs.append(repair)
        self._findings[tree.folder, repair.after.subject, repair.after.path] = repair.after
        detail = f"from {', '.join(repair.sources)}" if repair.sources else ""
        if repair.is_repaired:
            self._line("repaired", repair.after, detail)
        else:
            self._line("still bad", repair.after, str(repair.error or repair.after.detail))

    def tell(self) -> int:
        """The sum on stderr, JSON on stdout if wanted; the exit code."""
        findings = list(self._findings.values())
        counts = Counter(finding.verdict.value for finding in findings)
        weak = [finding for finding in findings if self._is_weak(finding)]
        if self._as_json:
            rows = [_row(self._findings[key]) for key in sorted(self._findings)]
            repairs = [_repair_row(repair) for repair in self._repairs]
            _output.show_json({"counts": counts, "weaker": len(weak), "files": rows, "repairs": repairs})
        summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        below = f"; {len(weak)} below {self._least}" if weak else ""
        mended = sum(repair.is_repaired for repair in self._repairs)
        repaired = f"; {mended} of {len(self._repairs)} repaired" if self._repairs else ""
        _output.say(f"{len(findings)} files: {summary or 'none'}{below}{repaired}")
        if any(isinstance(repair.error, DiskFull) for repair in self._repairs):
            return NO_SPACE
        return INTEGRITY if weak or any(finding.verdict.is_bad for finding in findings) else OK

    def _is_weak(self, finding: "Finding") -> bool:
        """Whether the proof is weaker than demanded; of a manifest no manifest can be demanded."""
        is_manifest = finding.path.startswith(f"{manifest.FOLDER}/")
        return self._least is not None and not finding.holds(self._least) and not is_manifest

    def _line(self, word: str, finding: "Finding", detail: str) -> None:
        if not self._as_json:
            _output.show_lines([f"{word:<10}{finding.subject}/{finding.path}{f'  {detail}' if detail else ''}"])


def _row(finding: "Finding") -> dict[str, object]:
    return {
        "subject": finding.subject,
        "path": finding.path,
        "verdict": finding.verdict,
        "proof": finding.proof,
        "detail": finding.detail,
    }


def _repair_row(repair: "Repair") -> dict[str, object]:
    return {
        "subject": repair.after.subject,
        "path": repair.after.path,
        "was": repair.before.verdict,
        "is": repair.after.verdict,
        "sources": list(repair.sources),
        "error": str(repair.error) if repair.error else None,
    }
