"""`cdb admin check`: do files and their bytes agree, and rows among themselves?"""

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import click

from connectomedb.cli import _output
from connectomedb.cli._errors import INTEGRITY, OK
from connectomedb.cli._options import JSON
from connectomedb.cli._sites import Chosen, on_site

if TYPE_CHECKING:
    from connectomedb.server.check import Finding


@click.command(name="check")
@on_site
@click.option("--digest", "digests", is_flag=True, help="Read every byte, and compare MD5s.")
@click.option("--repair", is_flag=True, help="Remove uploaded bytes that no file names; end S3 keys that no row names.")
@JSON
def check(site: Chosen, digests: bool, repair: bool, as_json: bool) -> int:
    """Do files and their bytes agree? In both directions, with their sizes; and do rows agree among themselves,
    and with users' S3 keys? The server may be running.

    Exit code 8 when something is wrong and was not repaired. Bytes that a file misses cannot be made again:
    restore them from a backup, or ingest the release again.

    \b
    cdb admin check /data/connectomedb
    cdb admin check /data/connectomedb --digest --repair
    """
    from connectomedb.server.check import check_files
    from connectomedb.server.check_keys import check_keys
    from connectomedb.server.check_rows import check_rows

    with site.opened() as opened:
        findings = []
        keys = check_keys(opened, repair=repair)
        for finding in chain(check_rows(opened), check_files(opened, digests=digests, repair=repair), keys):
            findings.append(finding)
            if not as_json:
                _output.show_lines([_line(finding)])
    if as_json:
        _output.show_json({"findings": [_row(finding) for finding in findings]})
    counts = Counter("repaired" if finding.is_repaired else finding.fault.value for finding in findings)
    _output.say(", ".join(f"{count} {word}" for word, count in sorted(counts.items())) or "All files are there.")
    return OK if all(finding.is_repaired for finding in findings) else INTEGRITY


def _line(finding: "Finding") -> str:
    word = "removed" if finding.is_repaired else finding.fault.value
    place = f"{finding.store}:{finding.key}"
    return "  ".join(text for text in (f"{word:<10}{place}", finding.path, finding.detail) if text)


def _row(finding: "Finding") -> dict[str, object]:
    return {
        "fault": finding.fault.value,
        "store": finding.store,
        "key": finding.key,
        "path": finding.path,
        "detail": finding.detail,
        "repaired": finding.is_repaired,
    }
