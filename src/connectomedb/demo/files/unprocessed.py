"""The packages *_unproc of structural and functional scans: images as the scanner gave them, and what was logged.

unprocessed/3T/<scan>/<subject>_3T_<scan>.nii.gz   <subject>_3T_<scan>_SBRef.nii.gz
    LINKED_DATA/PHYSIO/   LINKED_DATA/EPRIME/   LINKED_DATA/EPRIME/EVs/
"""

from collections.abc import Iterator

import numpy as np

from connectomedb.demo.brain import bold, contrast
from connectomedb.demo.brain.bold import SCALE, STEP_S
from connectomedb.demo.brain.person import Person, brain
from connectomedb.demo.files.functional import TAB_NAMES, Run, event_log, events, physio_log
from connectomedb.demo.files.nifti import Space, encode_volume, whole
from connectomedb.demo.subjects import MOTOR_LR, MOTOR_RL, REST, T2

Named = Iterator[tuple[str, bytes]]

T1 = "T1w_MPR1"
_STRUCTURAL_COILS = ("AFI", "BIAS_32CH", "BIAS_BC", "FieldMap_Magnitude", "FieldMap_Phase")
_FUNCTIONAL_COILS = ("SpinEchoFieldMap_LR", "SpinEchoFieldMap_RL", "BIAS_32CH", "BIAS_BC")


def structural_unproc(person: Person) -> dict[str, bytes]:
    """The two structural scans, path inside the subject → bytes."""
    return dict(_structural_scan(person, T1)) | (dict(_structural_scan(person, T2)) if person.has(T2) else {})


def rest_unproc(person: Person) -> dict[str, bytes]:
    """The resting run."""
    return dict(_run(Run(person, REST)))


def motor_unproc(person: Person) -> dict[str, bytes]:
    """The two runs of the motor task."""
    return dict(_run(Run(person, MOTOR_LR))) | dict(_run(Run(person, MOTOR_RL)))


def _structural_scan(person: Person, scan: str) -> Named:
    body = brain(person, Space.SCANNER, person.fineness.function_mm)
    die = person.die(f"{scan} raw")
    inside = contrast.t1_brain(body) if scan == T1 else contrast.t2_brain(body)
    fat, eyes = (0.9, 0.3) if scan == T1 else (0.6, 1.2)
    image = contrast.noisy(contrast.head(body, inside, fat=fat, eyes=eyes), die, 4) * contrast.bias_field(body, die)
    stem = f"unprocessed/3T/{scan}/{person.label}_3T"
    yield f"{stem}_{scan}.nii.gz", encode_volume(whole(image), body.grid.affine, Space.SCANNER)
    if person.fineness.is_complete:
        yield from _coil_images(person, stem, _STRUCTURAL_COILS)


def _run(run: Run) -> Named:
    person, scan = run.person, run.scan
    if not person.has(scan):
        return
    body = brain(person, Space.SCANNER, person.fineness.raw_mm)
    folder = f"unprocessed/3T/{scan}"
    linked = f"{folder}/LINKED_DATA"
    stem = f"{folder}/{person.label}_3T"
    series = bold.volume_series(body, run.sources(), person.die(f"{scan} raw"))
    content = encode_volume(series, body.grid.affine, Space.SCANNER, step_s=STEP_S, slope=SCALE)
    yield f"{stem}_{scan}.nii.gz", content
    if person.fineness.is_complete:
        reference = whole(SCALE * bold.mean_image(body))
        yield f"{stem}_{scan}_SBRef.nii.gz", encode_volume(reference, body.grid.affine, Space.SCANNER)
        yield from _coil_images(person, stem, _FUNCTIONAL_COILS)
        yield f"{linked}/PHYSIO/{person.label}_3T_{scan}_Physio_log.txt", physio_log(run)
    if run.is_task:
        yield f"{linked}/EPRIME/{person.label}_3T_{TAB_NAMES[scan]}", event_log(run)
        if person.fineness.is_complete:
            for name, rows in events(run).items():
                yield f"{linked}/EPRIME/EVs/{name}", rows


def _coil_images(person: Person, stem: str, names: tuple[str, ...]) -> Named:
    """Low-resolution images of the coils and the field: the brain, shaded differently in each."""
    body = brain(person, Space.SCANNER, person.fineness.coil_mm)
    for name in names:
        shade = contrast.bias_field(body, person.die(f"{stem} {name}"))
        image = contrast.t1_brain(body) if "Phase" not in name else 2000 * (shade - 1) * body.mask
        yield f"{stem}_{name}.nii.gz", encode_volume(whole(np.asarray(image * shade)), body.grid.affine, Space.SCANNER)
