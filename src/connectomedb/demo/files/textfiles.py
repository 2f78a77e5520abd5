"""The small text files of a subject: numbers in columns, and a few formats of other programs."""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating]


def encode_columns(rows: Numbers, decimals: int) -> bytes:
    """Numbers (row, column), blank between columns, one line each."""
    table = np.atleast_2d(rows) + 0.0
    lines = ("  ".join(f"{value:.{decimals}f}" for value in row) for row in table.tolist())
    return ("\n".join(lines) + "\n").encode()


def encode_integers(rows: NDArray[np.integer]) -> bytes:
    """Whole numbers (row, column), tab between columns."""
    return ("\n".join("\t".join(map(str, row)) for row in rows.tolist()) + "\n").encode()


def encode_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table with a header line, tab between columns."""
    lines = ["\t".join(header), *("\t".join(map(str, row)) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def encode_spec(files: Iterable[str]) -> bytes:
    """A Workbench spec file that opens the surfaces, metrics and labels beside it."""
    entries = [
        f'   <DataFile Structure="{_structure(name)}" DataFileType="{kind}" Selected="true">{escape(name)}</DataFile>'
        for name in sorted(files)
        for ending, kind in _SPEC_TYPES.items()
        if name.endswith(ending)
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<CaretSpecFile Version="1.0">\n   <MetaData/>\n'
    return (head + "\n".join(entries) + "\n</CaretSpecFile>\n").encode()


def encode_design(frames: int, step_s: float, events: Sequence[str], scan: str) -> bytes:
    """A FEAT set-up file: the lines that name the run and its events, no more."""
    lines = [
        "# SYNTHETIC demo data",
        "set fmri(level) 1",
        f"set fmri(tr) {step_s:.3f}",
        f"set fmri(npts) {frames}",
        "set fmri(paradigm_hp) 200",
        "set fmri(smooth) 4",
        f"set fmri(evs_orig) {len(events)}",
        f'set feat_files(1) "../{scan}"',
    ]
    for number, event in enumerate(events, start=1):
        lines += [f'set fmri(evtitle{number}) "{event.upper()}"', f'set fmri(custom{number}) "EVs/{event}.txt"']
    return ("\n".join(lines) + "\n").encode()


_SPEC_TYPES = {
    ".surf.gii": "SURFACE",
    ".shape.gii": "METRIC",
    ".label.gii": "LABEL",
    ".dscalar.nii": "CONNECTIVITY_DENSE_SCALAR",
    ".dlabel.nii": "CONNECTIVITY_DENSE_LABEL",
}


def _structure(name: str) -> str:
    """The structure that a file name speaks of: `100307.L.…` is the left cortex."""
    return {"L": "CortexLeft", "R": "CortexRight"}.get(name.split(".")[1], "Invalid")
