"""Plans as JSON lines, to keep and to apply later.

    {"plan": 1, "project": "HCP_Q1", "subject": "100307", "choice": {...}, "existing": "check", "notes": []}
    {"path": "T1w/a.nii.gz", "act": "fetch", "reason": "not on disk", "size": 1234, "md5": "...", "proof": "manifest",
     "source": "s3://bucket", "modified": 1362096000.0}
    {"path": ".xdlm/100307_3T_x.json", ..., "manifest": true}

A head line per subject, then a line per file; several plans follow one another. A manifest that comes along with the
chosen files says so.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from connectomedb.errors import ConfigError
from connectomedb.hcp.paths import check_own_file
from connectomedb.hcp.release import release_of
from connectomedb.mirror.actions import Act, Action
from connectomedb.mirror.choice import Choice
from connectomedb.mirror.plan import Existing, Plan
from connectomedb.transfer.checksum import Expected, Proof

FORMAT = 1

_LATEST = 1e11
"""Seconds since 1970 beyond which no file was published."""

_MD5 = re.compile(r"[0-9a-f]{32}")


def format_plan(plan: Plan) -> Iterator[str]:
    """The lines of a plan, without line ends."""
    head = {
        "plan": FORMAT,
        "project": plan.project,
        "subject": plan.subject,
        "choice": plan.choice.format(),
        "existing": plan.existing,
        "notes": list(plan.notes),
    }
    yield json.dumps(head)
    for action in plan.actions:
        yield json.dumps(format_action(action))
    for action in plan.manifests:
        yield json.dumps({**format_action(action), "manifest": True})


def format_action(action: Action) -> dict[str, object]:
    """One action as a value for JSON."""
    return {
        "path": action.path,
        "act": action.act,
        "reason": action.reason,
        "size": action.expected.size,
        "md5": action.expected.md5,
        "proof": action.expected.proof,
        "source": action.source,
        "modified": action.modified,
    }


def parse_plans(lines: Iterable[str], name: str = "the plan") -> Iterator[Plan]:
    """Read plans one after the other, holding one at a time; `name` says in errors which file. Raises ConfigError."""
    head: Mapping[str, object] | None = None
    actions: list[Action] = []
    manifests: list[Action] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if "plan" in row:
                if head is not None:
                    yield _plan(head, actions, manifests)
                head, actions, manifests = row, [], []
                _plan(head, [], [])
            elif head is None:
                raise ValueError("a file before the first head line")
            else:
                (manifests if row.get("manifest") else actions).append(_action(str(head["subject"]), row))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as fault:
            raise ConfigError(
                f"Read {name}, line {number}: this is no line of a plan ({fault}). Make the plan anew."
            ) from fault
    if head is not None:
        yield _plan(head, actions, manifests)


def _plan(head: Mapping[str, object], actions: list[Action], manifests: list[Action]) -> Plan:
    if head["plan"] != FORMAT:
        raise ValueError(f"format {head['plan']!r}, understood is {FORMAT}")
    project, subject, choice, notes = head["project"], head["subject"], head["choice"], head["notes"]
    if not isinstance(project, str) or not isinstance(subject, str):
        raise TypeError("project and subject should be text")
    if not isinstance(choice, dict) or not isinstance(notes, list):
        raise TypeError("its choice or notes are malformed")
    release_of(project).check_subject(subject)
    return Plan(
        project=project,
        subject=subject,
        choice=Choice.parse(choice),
        actions=tuple(sorted(actions, key=lambda action: action.path)),
        manifests=tuple(sorted(manifests, key=lambda action: action.path)),
        existing=Existing(str(head["existing"])),
        notes=tuple(str(note) for note in notes),
    )


def _action(subject: str, row: Mapping[str, object]) -> Action:
    path, source, modified = row["path"], row["source"], row["modified"]
    if not isinstance(path, str) or not isinstance(source, str | None):
        raise TypeError("path and source should be text")
    check_own_file(subject, path)
    return Action(
        path,
        Act(str(row["act"])),
        str(row["reason"]),
        Expected(_size(row["size"]), _md5(row["md5"]), Proof(str(row["proof"]))),
        source,
        None if modified is None else _seconds(modified),
    )


def _size(cell: object) -> int | None:
    if cell is not None and (not isinstance(cell, int) or isinstance(cell, bool) or cell < 0):
        raise ValueError(f"{cell!r} is no size")
    return cell


def _md5(cell: object) -> str | None:
    if cell is not None and (not isinstance(cell, str) or not _MD5.fullmatch(cell)):
        raise ValueError(f"{cell!r} is no MD5")
    return cell


def _seconds(cell: object) -> float:
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not 0 <= cell < _LATEST:
        raise ValueError(f"{cell!r} is no time")
    return float(cell)
