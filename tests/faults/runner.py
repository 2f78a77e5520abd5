"""Processes that fetch a subject, so that tests can end them."""

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.site import Site

SCRIPT = Path(__file__).with_name("fetch_once.py")
CROWD_SCRIPT = Path(__file__).with_name("fetch_crowd.py")
RUN_S = 60
"""No fetch of a test takes so long."""


def start(site: Site, *more: str, script: Path = SCRIPT) -> subprocess.Popen[str]:
    """A process that fetches the whole subject into the site's folder."""
    access = site.published.access
    keys = {"AWS_ACCESS_KEY_ID": access.access_key or "", "AWS_SECRET_ACCESS_KEY": access.secret_key or ""}
    command = [sys.executable, str(script), site.proxy.endpoint_url, site.published.bucket, str(site.root), *more]
    return subprocess.Popen(command, env={**os.environ, **keys}, stdout=subprocess.PIPE, text=True)
