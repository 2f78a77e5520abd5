"""The packages rfMRI_REST1_preproc and tfMRI_MOTOR_preproc: runs in standard space, and what was recorded with them.

MNINonLinear/Results/<scan>/<scan>.nii.gz  <scan>_SBRef.nii.gz  <scan>_Atlas.dtseries.nii
    Movement_*.txt  <scan>_Physio_log.txt  EVs/  MOTOR_run2_TAB.txt  <scan>_hp200_s4_level1.fsf
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from connectomedb.demo.brain import bold
from connectomedb.demo.brain.bold import FRAMES, SCALE, STEP_S, Block, Source
from connectomedb.demo.brain.person import Person, brain, labelling, sheet
from connectomedb.demo.brain.template import FloatArray
from connectomedb.demo.files import cifti, gifti
from connectomedb.demo.files.nifti import Space, encode_volume, whole
from connectomedb.demo.files.textfiles import Numbers, encode_columns, encode_design, encode_integers, encode_table
from connectomedb.demo.subjects import MOTOR_LR, MOTOR_RL, REST

Named = Iterator[tuple[str, bytes]]

MOVEMENTS = ("lf", "lh", "rf", "rh", "t")
TAB_NAMES = {MOTOR_LR: "MOTOR_run2_TAB.txt", MOTOR_RL: "MOTOR_run1_TAB.txt"}
_ORDERS = {MOTOR_LR: ("rh", "lf", "t", "rf", "lh"), MOTOR_RL: ("t", "lh", "rf", "lf", "rh")}
_FIRST_S, _CUE_S, _MOVE_S = 0.3, 0.3, 1.3
_PHYSIO_PER_S = 10


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one person."""

    person: Person
    scan: str

    @property
    def is_task(self) -> bool:
        """Whether there was something to do but rest."""
        return self.scan in _ORDERS

    def blocks(self) -> list[Block]:
        """What the person was asked to do: five movements in the run's order, each after a cue. Empty at rest."""
        jitter = self.person.die(f"{self.scan} onsets").uniform(0, 0.2)
        found = []
        for number, name in enumerate(_ORDERS.get(self.scan, ())):
            cue_s = _FIRST_S + jitter + number * (_CUE_S + _MOVE_S)
            found += [Block("cue", cue_s, _CUE_S), Block(name, cue_s + _CUE_S, _MOVE_S)]
        return found

    def sources(self) -> list[Source]:
        """What makes the signal change."""
        resting = bold.rest_sources(self.person.die(f"{self.scan} rest"))
        return bold.task_sources(self.blocks()) + resting[:1] if self.is_task else resting


def rest_preproc(person: Person) -> dict[str, bytes]:
    """The resting run, path inside the subject → bytes. Empty when the person has none."""
    return _run_files(Run(person, REST))


def motor_preproc(person: Person) -> dict[str, bytes]:
    """The two runs of the motor task."""
    return _run_files(Run(person, MOTOR_LR)) | _run_files(Run(person, MOTOR_RL))


def events(run: Run) -> dict[str, bytes]:
    """The task's event files: onset and duration in seconds, and 1."""
    names = ("cue", *MOVEMENTS)
    times = {name: [(b.onset_s, b.duration_s, 1.0) for b in run.blocks() if b.name == name] for name in names}
    times["Sync"] = [(0.0, FRAMES * STEP_S, 1.0)]
    return {f"{name}.txt": encode_columns(np.array(rows), 3) for name, rows in times.items()}


def event_log(run: Run) -> bytes:
    """What the stimulus program wrote down, one line per block."""
    rows = [
        (n, block.name, round(1000 * block.onset_s), round(1000 * block.duration_s))
        for n, block in enumerate(run.blocks(), 1)
    ]
    return encode_table(("Trial", "BlockType", "OnsetTime", "Duration"), rows)


def physio_log(run: Run) -> bytes:
    """Trigger, breathing and pulse, ten times a second."""
    die = run.person.die(f"{run.scan} physio")
    time = np.arange(0, FRAMES * STEP_S, 1 / _PHYSIO_PER_S)
    trigger = (np.diff(np.floor(time / STEP_S), prepend=-1) > 0).astype(int)
    breath = 2048 + 700 * np.sin(2 * np.pi * die.uniform(0.2, 0.3) * time) + die.normal(0, 20, len(time))
    pulse = 2048 + 500 * np.sin(2 * np.pi * die.uniform(0.9, 1.3) * time) + die.normal(0, 40, len(time))
    return encode_integers(np.stack([trigger, np.rint(breath), np.rint(pulse)], axis=1).astype(int))


def _run_files(run: Run) -> dict[str, bytes]:
    if not run.person.has(run.scan):
        return {}
    files = dict(_volumes(run)) | dict(_surfaces(run)) | _movement(run)
    files[f"{run.scan}_Physio_log.txt"] = physio_log(run)
    if run.is_task:
        files |= {f"EVs/{name}": content for name, content in events(run).items()}
        files[TAB_NAMES[run.scan]] = event_log(run)
        files[f"{run.scan}_hp200_s4_level1.fsf"] = encode_design(FRAMES, STEP_S, ("cue", *MOVEMENTS), run.scan)
    return {f"MNINonLinear/Results/{run.scan}/{name}": content for name, content in files.items()}


def _volumes(run: Run) -> Named:
    person, mm = run.person, run.person.fineness.function_mm
    body = brain(person, Space.MNI, mm)
    die = person.die(f"{run.scan} volume")
    series = bold.volume_series(body, run.sources(), die)
    yield f"{run.scan}.nii.gz", encode_volume(series, body.grid.affine, Space.MNI, step_s=STEP_S, slope=SCALE)
    reference = whole(SCALE * bold.mean_image(body))
    yield f"{run.scan}_SBRef.nii.gz", encode_volume(reference, body.grid.affine, Space.MNI)
    if person.fineness.is_complete:
        mask = body.mask.astype(np.int16)
        jacobian = np.round(1 + 0.05 * np.sin(body.y / 30) * body.mask, 3)
        yield f"{run.scan}_Jacobian.nii.gz", encode_volume(jacobian, body.grid.affine, Space.MNI)
        yield "brainmask_fs.2.nii.gz", encode_volume(mask, body.grid.affine, Space.MNI)
        is_good = (labelling(person, Space.MNI, mm).ribbon > 0).astype(np.int16)
        name = "RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz"
        yield name, encode_volume(is_good, body.grid.affine, Space.MNI)


def _surfaces(run: Run) -> Named:
    """The run on cortex and deep structures; one run of the showcase subject also on the person's own mesh."""
    person, fineness = run.person, run.person.fineness
    order, places = grayordinates(person)
    series = bold.surface_series(places, run.sources(), person.die(f"{run.scan} surface"))
    yield f"{run.scan}_Atlas.dtseries.nii", cifti.encode_series(series, order, STEP_S)
    if fineness.is_complete and run.scan == MOTOR_LR:
        for side in ("L", "R"):
            own = sheet(person, Space.MNI, side, fineness.mesh_native)
            frames = bold.surface_series(own.places, run.sources(), person.die(f"{run.scan} {side}"))
            yield f"{run.scan}.{side}.native.func.gii", gifti.encode_series(frames, side)


@lru_cache(maxsize=2)
def grayordinates(person: Person) -> tuple[cifti.Grayordinates, FloatArray]:
    """The person's grayordinates and where each lies: float32 (grayordinate, xyz), template mm."""
    mm = person.fineness.function_mm
    body, labels = brain(person, Space.MNI, mm), labelling(person, Space.MNI, mm)
    sheets = {side: sheet(person, Space.MNI, side, person.fineness.mesh_32k) for side in ("L", "R")}
    order = cifti.Grayordinates.of({side: cortex.is_cortex for side, cortex in sheets.items()}, (labels, body.grid))
    deep = np.stack([cifti.deep_values(values, labels) for values in (body.x, body.y, body.z)], axis=1)
    return order, np.concatenate([*(cortex.places[cortex.is_cortex] for cortex in sheets.values()), deep])


def _movement(run: Run) -> dict[str, bytes]:
    """How the head moved: shifts in mm and turns in degrees with their changes per frame, and what they amount to."""
    die = run.person.die(f"{run.scan} movement")
    position = np.cumsum(die.normal(0, 0.02, (FRAMES, 6)), axis=0)
    regressors = np.hstack([position, np.diff(position, axis=0, prepend=position[:1])])
    absolute, relative = _size(position), _size(np.diff(position, axis=0, prepend=position[:1]))
    files = {"Movement_Regressors.txt": encode_columns(regressors, 6)}
    if run.person.fineness.is_complete:
        files |= {
            "Movement_Regressors_dt.txt": encode_columns(_detrended(regressors), 6),
            "Movement_AbsoluteRMS.txt": encode_columns(absolute[:, None], 6),
            "Movement_AbsoluteRMS_mean.txt": encode_columns(np.array([[absolute.mean()]]), 6),
            "Movement_RelativeRMS.txt": encode_columns(relative[:, None], 6),
            "Movement_RelativeRMS_mean.txt": encode_columns(np.array([[relative.mean()]]), 6),
        }
    return files


def _size(position: Numbers) -> Numbers:
    """Root of the mean square over the three shifts, and the turns at 50 mm from the centre, in mm."""
    scale: Sequence[float] = (1, 1, 1, *(50 * np.pi / 180 for _ in range(3)))
    return np.asarray(np.sqrt(((position * scale) ** 2).mean(axis=1)))


def _detrended(columns: Numbers) -> Numbers:
    """Columns without mean and straight-line drift."""
    time = np.arange(len(columns)) - (len(columns) - 1) / 2
    level = columns - columns.mean(axis=0)
    slope = (time[:, None] * level).sum(axis=0) / (time**2).sum()
    return np.asarray(level - np.outer(time, slope))
