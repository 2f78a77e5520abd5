"""Other names for a release's files, for tools that expect their input arranged otherwise. Pure.

    release   100307/T1w/T1w_acpc_dc.nii.gz                         as the bucket of later releases has it
    flat      100307__T1w__T1w_acpc_dc.nii.gz                       one folder
    bids      sub-100307/ses-3T/func/sub-100307_ses-3T_task-motor_dir-LR_bold.nii.gz    acquired images
              derivatives/hcp/sub-100307/T1w/T1w_acpc_dc.nii.gz                         what was made of them
              sourcedata/sub-100307/unprocessed/3T/...                                  acquired, BIDS has no name

Source: BIDS specification, entities and suffixes of MRI.
"""

import json
import re
from collections.abc import Callable
from enum import StrEnum

FLAT_SEPARATOR = "__"

BIDS_DESCRIPTION = "dataset_description.json"
BIDS_VERSION = "1.10.0"


class Arrangement(StrEnum):
    """How files are named and put into folders."""

    RELEASE = "release"
    BIDS = "bids"
    FLAT = "flat"


def arranged(arrangement: Arrangement, subject: str, path: str) -> str:
    """Where a file of a subject stands, by its release path inside the subject."""
    if arrangement is Arrangement.FLAT:
        return FLAT_SEPARATOR.join((subject, *path.split("/")))
    return _bids_name(subject, path) if arrangement is Arrangement.BIDS else f"{subject}/{path}"


def bids_description(release: str) -> str:
    """What a BIDS data set says of itself."""
    document = {"Name": release, "BIDSVersion": BIDS_VERSION, "DatasetType": "raw", "GeneratedBy": [{"Name": "cdb"}]}
    return json.dumps(document, indent=2) + "\n"


_ACQUIRED = re.compile(r"unprocessed/(3T|7T)/([^/]+)/([0-9]{6})_\1_([^/]+?)(\.nii\.gz|\.bval|\.bvec)")


def _bids_name(subject: str, path: str) -> str:
    found = _ACQUIRED.fullmatch(path)
    if found and found[3] == subject:
        field, scan, name, ending = found[1], found[2], found[4], found[5]
        for pattern, rule in _RULES:
            if fits := pattern.fullmatch(name):
                folder, entities = rule(fits, scan)
                session = f"sub-{subject}_ses-{field}"
                return f"sub-{subject}/ses-{field}/{folder}/{session}_{entities}{ending}"
    if path.rpartition("/")[2].startswith(f"sub-{subject}_"):  # a study in BIDS has its names already
        return f"sub-{subject}/{path}"
    above = "sourcedata" if path.startswith("unprocessed/") else "derivatives/hcp"
    return f"{above}/sub-{subject}/{path}"


def _structural(found: re.Match[str], scan: str) -> tuple[str, str]:
    return "anat", f"run-{found[2]}_{found[1]}w"


def _resting(found: re.Match[str], scan: str) -> tuple[str, str]:
    return "func", f"task-rest_dir-{found[2]}_run-{found[1]}_{'sbref' if found[3] else 'bold'}"


def _task(found: re.Match[str], scan: str) -> tuple[str, str]:
    return "func", f"task-{found[1].lower()}_dir-{found[2]}_{'sbref' if found[3] else 'bold'}"


def _diffusion(found: re.Match[str], scan: str) -> tuple[str, str]:
    return "dwi", f"acq-{found[1]}_dir-{found[2]}_{'sbref' if found[3] else 'dwi'}"


def _field_map(found: re.Match[str], scan: str) -> tuple[str, str]:
    return "fmap", f"acq-{scan.replace('_', '')}_dir-{found[1]}_epi"


_WAY = r"_([LR]{2}|AP|PA)"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str], tuple[str, str]]], ...] = (
    (re.compile(r"(T[12])w_(?:MPR|SPC)([0-9])"), _structural),
    (re.compile(rf"rfMRI_REST([0-9]){_WAY}(_SBRef)?"), _resting),
    (re.compile(rf"tfMRI_([A-Z0-9]+){_WAY}(_SBRef)?"), _task),
    (re.compile(rf"DWI_(dir[0-9]+){_WAY}(_SBRef)?"), _diffusion),
    (re.compile(rf"SpinEchoFieldMap{_WAY}"), _field_map),
)
"""Name of an acquired image without subject, field strength and ending → its folder, and entities with suffix."""
