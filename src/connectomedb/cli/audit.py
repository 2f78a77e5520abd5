"""`cdb audit`: what is known by now against the files of a lockfile."""

from dataclasses import asdict
from pathlib import Path

import click

from connectomedb.cli import _output
from connectomedb.cli._cohort import LOCKFILE
from connectomedb.cli._errors import GENERAL, OK
from connectomedb.cli._options import JSON
from connectomedb.cli._study import KEY


@click.command(name="audit")
@LOCKFILE
@KEY
@JSON
def command(lockfile: Path, key_file: Path | None, as_json: bool) -> int:
    """Say what is known against the files of LOCKFILE: withdrawn, unusable, wrong or incomplete data.

    Exit code 0 when nothing is, 1 when something is. No request is made: the knowledge comes with this version.
    """
    from connectomedb.cohort.audit import audit_lockfile
    from connectomedb.mirror.coded import load_subject_key
    from connectomedb.mirror.studies import load_lockfile

    found = audit_lockfile(load_lockfile(lockfile), key=load_subject_key(key_file) if key_file else None)
    if as_json:
        _output.show_json(
            [{"subject": f.subject, "paths": list(f.paths), "advisory": asdict(f.advisory)} for f in found]
        )
    else:
        for finding in found:
            advisory = finding.advisory
            _output.show_lines([f"{finding.subject}\t{advisory.kind}\t{advisory.summary}\t{advisory.source}"])
            _output.show_lines([f"\t{path}" for path in finding.paths])
        _output.say(f"{len(found)} advisories concern these files." if found else "Nothing is known against them.")
    return GENERAL if found else OK
