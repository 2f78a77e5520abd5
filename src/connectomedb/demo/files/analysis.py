"""The package tfMRI_MOTOR_analysis_s4 of the showcase subject: what the motor task's movements did, as z statistics.

MNINonLinear/Results/tfMRI_MOTOR/tfMRI_MOTOR_hp200_s4_level2.fsf
    tfMRI_MOTOR_hp200_s4_level2.feat/     Contrasts.txt  <subject>_tfMRI_MOTOR_level2_hp200_s4.dscalar.nii
                                          GrayordinatesStats/cope{1..6}.feat/zstat1.dtseries.nii
                                          ParcellatedStats/*.{pscalar,ptseries,plabel,pconn}.nii
    tfMRI_MOTOR_hp200_s4_level2vol.feat/  mask.nii.gz  cope{1..6}.feat/stats/zstat1.nii.gz

Made of the same patches of cortex as the runs, not fitted to them. ParcellatedStats is no folder of HCP's, whose
releases have no parcellated files: it shows that a lab's own ones are understood.
"""

from collections.abc import Iterator

import numpy as np

from connectomedb.demo.brain import bold
from connectomedb.demo.brain.bold import STEP_S
from connectomedb.demo.brain.person import Person, brain, sheet
from connectomedb.demo.brain.template import FloatArray
from connectomedb.demo.files import cifti, parcels
from connectomedb.demo.files.functional import MOVEMENTS, Run, grayordinates
from connectomedb.demo.files.nifti import Space, encode_volume
from connectomedb.demo.files.parcels import Parcels
from connectomedb.demo.files.textfiles import encode_design
from connectomedb.demo.subjects import MOTOR_LR

CONTRASTS = ("cue", *MOVEMENTS)
"""Events of the task in the order of their contrasts: `cope1` is the cue."""

_LEVEL2 = "tfMRI_MOTOR_hp200_s4_level2"
_SIDES = ("L", "R")
_COLOURS = {0: ("rests", (0.6, 0.6, 0.6, 1.0)), 1: ("moves the tongue", (0.9, 0.3, 0.2, 1.0))}

Named = Iterator[tuple[str, bytes]]


def motor_analysis(person: Person) -> dict[str, bytes]:
    """Path inside the subject → bytes. Empty for all but the showcase subject."""
    if not person.fineness.is_complete or not person.has(MOTOR_LR):
        return {}
    files = {f"{_LEVEL2}.fsf": encode_design(2, STEP_S, CONTRASTS, "tfMRI_MOTOR, both runs")}
    files |= {f"{_LEVEL2}vol.feat/{name}": content for name, content in _volumes(person)}
    files |= {f"{_LEVEL2}.feat/{name}": content for name, content in _surfaces(person)}
    files |= {f"{_LEVEL2}.feat/ParcellatedStats/{name}": content for name, content in _parcels(person)}
    return {f"MNINonLinear/Results/tfMRI_MOTOR/{name}": content for name, content in files.items()}


def _volumes(person: Person) -> Named:
    body = brain(person, Space.MNI, person.fineness.function_mm)
    inside = body.mask
    places = np.stack([axis[inside] for axis in (body.x, body.y, body.z)], axis=1)
    yield "mask.nii.gz", encode_volume(inside.astype(np.int16), body.grid.affine, Space.MNI)
    for number, values in enumerate(_statistics(person, places), start=1):
        image = np.zeros(body.grid.shape, np.float32)
        image[inside] = values
        content = encode_volume(image, body.grid.affine, Space.MNI, intent="z score")
        yield f"cope{number}.feat/stats/zstat1.nii.gz", content


def _surfaces(person: Person) -> Named:
    order, places = grayordinates(person)
    found = _statistics(person, places)
    names = [f"{person.label}_tfMRI_MOTOR_level2_{event.upper()}_hp200_s4" for event in CONTRASTS]
    yield "Contrasts.txt", ("\n".join(event.upper() for event in CONTRASTS) + "\n").encode()
    yield f"{person.label}_tfMRI_MOTOR_level2_hp200_s4.dscalar.nii", cifti.encode_scalars(found, order, names)
    for number, values in enumerate(found, start=1):
        content = cifti.encode_series(values[None, :], order, 1.0)
        yield f"GrayordinatesStats/cope{number}.feat/zstat1.dtseries.nii", content


def _parcels(person: Person) -> Named:
    """Means of regions; which of them the tongue moves; and how they go together in one run."""
    sheets = {side: sheet(person, Space.MNI, side, person.fineness.mesh_32k) for side in _SIDES}
    regions = Parcels.of({side: one.regions() for side, one in sheets.items()})
    found = regions.means({side: _statistics(person, one.places) for side, one in sheets.items()})
    names = [event.upper() for event in CONTRASTS]
    yield "zstat1_aparc.pscalar.nii", parcels.encode_parcel_scalars(found, regions, names)
    tongue = found[CONTRASTS.index("t")]
    active = (tongue > tongue.max() / 2).astype(np.int32)
    yield "tongue_aparc.plabel.nii", parcels.encode_parcel_labels(active, regions, "tongue", _COLOURS)
    run = Run(person, MOTOR_LR)
    frames = {
        side: bold.surface_series(one.places, run.sources(), person.die(f"parcels {side}"))
        for side, one in sheets.items()
    }
    series = regions.means(frames)
    yield f"{MOTOR_LR}_aparc.ptseries.nii", parcels.encode_parcel_series(series, regions, STEP_S)
    together = np.round(np.corrcoef(series.T), 3).astype(np.float32)
    yield f"{MOTOR_LR}_aparc.pconn.nii", parcels.encode_parcel_connectivity(together, regions)


def _statistics(person: Person, places: FloatArray) -> FloatArray:
    """z of each contrast at places (point, xyz) in template mm: float32 (contrast, point)."""
    found = [bold.task_statistic(event, places, person.die(f"{event} level 2")) for event in CONTRASTS]
    return np.round(np.stack(found), 3).astype(np.float32)
