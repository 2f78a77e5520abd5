"""The command `cdb`: one subcommand per module of this folder, imported when it is called."""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from connectomedb.__about__ import __version__
from connectomedb.cli._errors import exit_code, format_fault, sentence
from connectomedb.errors import ConfigError, ConnectomeDBError

COMMANDS = {
    "admin": "Look after a server's data folder: users, grants, check, backup, restore, migrate.",
    "audit": "Say what is known against the files of a lockfile.",
    "cohort": "Named groups of subjects, kept on the server.",
    "demo": "See it all work on made-up data: no account, no network.",
    "diff": "Say what differs between two lockfiles.",
    "explain": "Say why these subjects: the funnel of a predicate.",
    "fields": "Find columns of measures, and what they mean.",
    "get": "Bring files to disk, proven.",
    "ingest": "Take tables and files into a project, in place or over REST.",
    "keys": "S3 keys of your own for the server's bucket.",
    "lock": "Write down a study's subjects and files.",
    "ls": "List projects, subjects, files, or a bucket.",
    "packages": "Download packages: list, show, get.",
    "search": "Find subjects by what is known of them.",
    "serve": "Run a ConnectomeDB on a data folder.",
    "subject-keys": "What publications call the subjects: list, show, put, share.",
    "sync": "Bring exactly the files of a lockfile.",
    "terms": "Data-use terms of a project: show, accept.",
    "verify": "Read files again: are they what was published?",
}
"""Command → one line of help; the command lives in the module of its name."""


class _Commands(click.Group):
    """Imports a command's module only when it is called, so that `cdb --help` answers at once."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"connectomedb.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cdb")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.pass_context
def cdb(context: click.Context, debug: bool) -> None:
    """From a question about behaviour to the imaging files that answer it, on local disk, proven intact.

    \b
    cdb demo                                        see it all work
    cdb search hcp:nontoolboxdata MMSE_Score --where "MMSE_Score >= 29"
    cdb get HCP_Q1/100307/T1w --to brains           files, fetched and proven

    Exit codes: 0 ok, 1 general, 2 usage, 3 sign-in, 4 network, 5 not found, 6 not allowed, 8 integrity,
    9 some files failed, 10 no space, 130 interrupted. With --json errors are JSON, too, on stderr.
    """
    context.obj = debug


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code. With `--json` an error is a JSON object on stderr, one line."""
    words = sys.argv[1:] if arguments is None else arguments
    debug, as_json = "--debug" in words, "--json" in words
    try:
        code = cdb.main(args=None if arguments is None else list(arguments), prog_name="cdb", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        _end(KeyboardInterrupt(), as_json)
    except click.ClickException as misuse:
        if not as_json:
            misuse.show()
            sys.exit(misuse.exit_code)
        _end(ConfigError(misuse.format_message()), as_json)
    except (ConnectomeDBError, KeyboardInterrupt, BrokenPipeError, ImportError) as fault:
        if debug:
            raise
        _end(fault, as_json)


def _end(fault: BaseException, as_json: bool) -> NoReturn:
    click.echo(format_fault(fault) if as_json else f"cdb: {sentence(fault)}", err=True)
    sys.exit(exit_code(fault))
