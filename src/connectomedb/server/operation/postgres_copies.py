"""Rows of PostgreSQL in one file, and back, by PostgreSQL's own programs. A password goes through their environment."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url

from connectomedb.errors import ConnectomeDBError, DiskFull, ServiceFailed
from connectomedb.server.tables.programs import find_program

_REASON_CHARACTERS = 400

_EMPTY = """
DO $$ DECLARE thing record; BEGIN
  FOR thing IN SELECT oid::regclass AS name FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  LOOP EXECUTE format('DROP TABLE %s CASCADE', thing.name); END LOOP;
  FOR thing IN SELECT oid::regprocedure AS name FROM pg_proc AS routine
    WHERE pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = routine.oid AND deptype = 'e')
  LOOP EXECUTE format('DROP ROUTINE %s CASCADE', thing.name); END LOOP;
END $$;
"""
"""All that our migrations make, and whatever hangs on it; the functions of extensions stay."""


def dump_postgres(url: str, target: Path) -> None:
    """Write one moment of a database to a file. Raises DiskFull, ServiceFailed, ConfigError (no pg_dump)."""
    words = ["--format=custom", "--no-owner", "--no-acl", f"--file={target}"]
    done = subprocess.run(_command("pg_dump", url, words), env=_environment(url), capture_output=True, check=False)
    if done.returncode:
        raise _fault("pg_dump", done.stderr)


def restore_postgres(url: str, source: Path) -> None:
    """Put what a dump holds in place of what a database holds, all or nothing. Raises as `dump_postgres`.

    pg_restore writes SQL, psql runs it; COMMIT follows only when pg_restore came to its end.
    """
    reading = [find_program("pg_restore"), "--no-owner", "--no-acl", "--file=-", str(source)]
    running = _command("psql", url, ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"])
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as heard:
        reader = subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said)
        runner = subprocess.Popen(running, stdin=subprocess.PIPE, stderr=heard, env=_environment(url))
        assert reader.stdout is not None
        assert runner.stdin is not None
        with reader, runner:
            try:
                runner.stdin.write(f"BEGIN;{_EMPTY}".encode())
                shutil.copyfileobj(reader.stdout, runner.stdin)
                if reader.wait() == 0:
                    runner.stdin.write(b"\nCOMMIT;\n")
                runner.stdin.close()
            except BrokenPipeError:  # psql gave up; it says why
                reader.kill()
        for program, process, words in (("psql", runner, heard), ("pg_restore", reader, said)):
            if process.returncode:
                raise _fault(program, _written(words))


def _command(program: str, url: str, words: Sequence[str]) -> list[str]:
    address = make_url(url).set(drivername="postgresql", password=None)
    return [find_program(program), f"--dbname={address.render_as_string(hide_password=False)}", "--no-password", *words]


def _environment(url: str) -> dict[str, str]:
    password = make_url(url).password
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def _written(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _fault(program: str, words: bytes) -> ConnectomeDBError:
    reason = " ".join(words.decode(errors="replace").split())[-_REASON_CHARACTERS:]
    if "No space left" in reason:
        return DiskFull(f"{program}: {reason}. Make room, then try again.")
    return ServiceFailed(f"{program} failed: {reason}.")
