"""Which scans exist at which field strength, and what they are called.

A 7T run has two names: `rfMRI_REST3_PA` where it was acquired, `rfMRI_REST3_7T_PA` where it was analysed.
Source: listings of HCP's buckets; names of resources in the scripts which processed them.
"""

from enum import StrEnum


class Field(StrEnum):
    """How the images of an experiment were acquired; the end of its label, `100307_3T`."""

    MR3T = "3T"
    MR7T = "7T"
    MEG = "MEG"


TASKS = ("EMOTION", "GAMBLING", "LANGUAGE", "MOTOR", "RELATIONAL", "SOCIAL", "WM")
"""Tasks of the 3T experiment."""

STRUCTURAL = ("T1w_MPR1", "T1w_MPR2", "T2w_SPC1", "T2w_SPC2")
"""Structural scans of the 3T experiment."""

DIFFUSION = "Diffusion"
"""All diffusion scans of one experiment together."""

RUNS: dict[Field, tuple[str, ...]] = {
    Field.MR3T: tuple(
        f"{name}_{direction}"
        for name in ("rfMRI_REST1", "rfMRI_REST2", *(f"tfMRI_{task}" for task in TASKS))
        for direction in ("LR", "RL")
    ),
    Field.MR7T: (
        *("rfMRI_REST1_PA", "rfMRI_REST2_AP", "rfMRI_REST3_PA", "rfMRI_REST4_AP"),
        *("tfMRI_MOVIE1_AP", "tfMRI_MOVIE2_PA", "tfMRI_MOVIE3_PA", "tfMRI_MOVIE4_AP"),
        *("tfMRI_RETBAR1_AP", "tfMRI_RETBAR2_PA", "tfMRI_RETCCW_AP"),
        *("tfMRI_RETCON_PA", "tfMRI_RETCW_PA", "tfMRI_RETEXP_AP"),
    ),
    Field.MEG: (),
}
"""Functional runs as acquired; the end says the phase encoding, left-right or front-back."""

SCANS: dict[Field, tuple[str, ...]] = {
    Field.MR3T: (*STRUCTURAL, *RUNS[Field.MR3T], DIFFUSION),
    Field.MR7T: (*RUNS[Field.MR7T], DIFFUSION),
    Field.MEG: (),
}
"""All scans as they stand below `unprocessed/`."""


def results_name(field: Field, run: str) -> str:
    """What a functional run is called below `Results/`: at 7T the field strength is put in."""
    if field is not Field.MR7T:
        return run
    name, _, direction = run.rpartition("_")
    return f"{name}_7T_{direction}"


RESULTS: dict[str, tuple[Field, str]] = {
    results_name(field, run): (field, run) for field, runs in RUNS.items() for run in runs
}
"""Name below `Results/` → field strength, and the run as acquired."""
