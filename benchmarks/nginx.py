"""nginx from Debian, where it is installed: how fast the same file goes over the same loopback."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectomedb.demo.services.child import Child

START_S = 10.0
STOP_S = 5.0


def find_nginx() -> str | None:
    """Path of the program, or None. Debian keeps it out of the PATH of users."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def version_of(program: str) -> str:
    """`nginx/1.22.1`."""
    return subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr.split()[-1]


@contextmanager
def serve_files(program: str, folder: Path, place: Path, *, workers: int) -> Iterator[str]:
    """Serve a folder until the end of the context; the address. What nginx writes lies in `place`."""
    place.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = " ".join(f"{kind}_temp_path {place};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} worker_processes {workers}; daemon off; pid {place}/pid;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; {kept}\n"
        f"  server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    command = [program, "-p", str(place), "-e", str(place / "error.log"), "-c", str(place / "nginx.conf")]
    child = Child("nginx", command, dict(os.environ), place / "nginx.log")
    try:
        child.wait_until(lambda: _answers(port), timeout_s=START_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop(grace_s=STOP_S)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
