"""Whether peak memory stays flat: one file ten times as large, and many times as many files.

The store makes up its bytes (benchmarks.generated), so times are not those of a real one and are not quoted. Each
row is a fresh process that fetches and verifies the whole subject; a row is measured once, since peaks hardly vary.
"""

import sys
from pathlib import Path

from benchmarks.dataset import PREFIX, SUBJECT, Dataset
from benchmarks.generated import GeneratedStore, md5_of
from benchmarks.machine import describe
from benchmarks.process import Usage, run
from benchmarks.quiet import Scratch
from benchmarks.station import environment
from benchmarks.table import print_promise, print_table
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest, manifest_path

GB = 1_000_000_000
MEMORY_MB = 200
FLAT = 1.25
"""A peak within a quarter of the other counts as flat."""


def main(folder: Path, *, rounds: int, is_small: bool) -> None:
    sizes = (GB // 10, GB) if is_small else (GB, 10 * GB)
    counts = (1_000, 4_000) if is_small else (1_000, 20_000, 100_000)
    print(f"## Peak memory\n\n{describe(folder)}; a store that makes up its bytes.\n")
    scratch = Scratch(folder / "copies")
    one_file = [_peak(Dataset((0, 0, 0), large=(1, size, size)), scratch) for size in sizes]
    many_files = [_peak(Dataset((count, 500, 20_000)), scratch) for count in counts]
    rows = [[f"one file of {size / GB:g} GB", f"{peak:.0f}"] for size, peak in zip(sizes, one_file, strict=True)]
    rows += [[f"{count} files of 0.5-20 KB", f"{peak:.0f}"] for count, peak in zip(counts, many_files, strict=True)]
    print_table(["fetched and verified", "peak MB"], rows)
    print()
    _promise(f"flat from {sizes[0] / GB:g} to {sizes[-1] / GB:g} GB", one_file)
    _promise(f"flat from {counts[0]} to {counts[-1]} files", many_files)


def _promise(words: str, peaks: list[float]) -> None:
    shown = " -> ".join(f"{peak:.0f}" for peak in peaks)
    is_kept = max(peaks) <= MEMORY_MB and max(peaks) <= FLAT * peaks[0]
    print_promise(f"peak memory <= {MEMORY_MB} MB and {words}", f"{shown} MB", is_kept=is_kept)


def _peak(dataset: Dataset, scratch: Scratch) -> float:
    """Peak resident memory in MB of a process that fetches a data set."""
    with GeneratedStore.start(_objects(dataset)) as store:
        script = Path(__file__).with_name("ours.py")
        command = [sys.executable, str(script), "fetch", store.endpoint_url, "benchmark", str(scratch.new())]
        used: Usage = run(command, environment())
    print(f"{dataset.describe()}: {used.wall_s:.1f} s, {used.peak_mb:.0f} MB", file=sys.stderr)
    scratch.empty()
    return used.peak_mb


def _objects(dataset: Dataset) -> dict[str, int | bytes]:
    """The data set as a store of made-up bytes, with a manifest that covers it."""
    sizes = dict(dataset.sizes())
    manifest = Manifest(SUBJECT, tuple(Entry(path, size, md5_of(size)) for path, size in sizes.items()))
    document = {f"{PREFIX}{manifest_path(SUBJECT, '3T_all')}": format_manifest(manifest)}
    return {**{f"{PREFIX}{path}": size for path, size in sizes.items()}, **document}
