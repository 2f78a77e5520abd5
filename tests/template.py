"""A process that has imported the command line, and forks for each command: what a new one does, without its start.

One line of JSON in per command (words, environment, folder, files for output), one line out: the exit code; or, of a
command that is to go on (`"goes_on": true`), the number of its process.
"""

import json
import os
import sys
import traceback
from contextlib import suppress

import connectomedb.client.interface
import connectomedb.mirror.mirror
import connectomedb.server.run  # noqa: F401
from connectomedb.cli import main as command_line

for _name in command_line.COMMANDS:
    command_line.cdb.get_command(None, _name)  # type: ignore[arg-type]  # imports the command


def _become(words: list[str], env: dict[str, str], folder: str, output: str, errors: str) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    for descriptor, path in ((0, os.devnull), (1, output), (2, errors)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.argv = ["cdb", *words]
    command_line.main(words)


def _run(line: str) -> int:
    order = json.loads(line)
    goes_on = order.pop("goes_on", False)
    child = os.fork()
    if child:
        return child if goes_on else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code: object = 1
    try:
        _become(**order)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    for request in sys.stdin:
        print(_run(request), flush=True)
    with suppress(ChildProcessError):
        while True:
            os.wait()  # whoever began commands that go on has ended them
