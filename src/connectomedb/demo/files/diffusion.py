"""The packages Diffusion_preproc and Diffusion_unproc.

    Diffusion/{bvals,bvecs,data.nii.gz,grad_dev.nii.gz,nodif_brain_mask.nii.gz}   T1w/T1w_acpc_dc_restore_1.25.nii.gz
    unprocessed/3T/Diffusion/<subject>_3T_DWI_dir95_{LR,RL}.{nii.gz,bval,bvec}

In the Q1 bucket `Diffusion/` stands beside `T1w/`, not below it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connectomedb.demo.brain import contrast
from connectomedb.demo.brain.anatomy import Brain
from connectomedb.demo.brain.person import Person, brain
from connectomedb.demo.files.nifti import Space, encode_volume, whole
from connectomedb.demo.files.textfiles import encode_columns, encode_integers

_SHELLS = (1000, 2000, 3000)
_UNWEIGHTED = 5
_EVERY = 7
"""Each so many volumes one without weighting."""


@dataclass(frozen=True, slots=True)
class Gradients:
    """Weights in s/mm² (volume,) and unit directions (axis, volume)."""

    weights: NDArray[np.int64]
    directions: NDArray[np.float64]

    def files(self) -> tuple[bytes, bytes]:
        """FSL's two text files: one row of weights, three rows of directions."""
        return encode_integers(self.weights[None, :]).replace(b"\t", b" "), encode_columns(self.directions, 6)


def gradients(person: Person) -> Gradients:
    """The person's table: shells in turn, directions spread over the half sphere by the golden angle."""
    count = person.fineness.volumes_diffusion
    die = person.die("gradients")
    number = np.arange(count)
    is_weighted = number % _EVERY > 0
    jitter = 5 * die.integers(-2, 3, count)
    weights = np.where(is_weighted, np.array(_SHELLS)[number % len(_SHELLS)] + jitter, _UNWEIGHTED)
    height = (number + 0.5) / count
    angle = number * np.pi * (3 - np.sqrt(5)) + die.uniform(0, 2 * np.pi)
    radius = np.sqrt(1 - height**2)
    directions = np.round([radius * np.cos(angle), radius * np.sin(angle), height], 6)
    return Gradients(weights.astype(np.int64), directions)


def diffusion_preproc(person: Person) -> dict[str, bytes]:
    """All files of the package in bucket layout, path inside the subject → bytes."""
    body = brain(person, Space.ALIGNED, person.fineness.diffusion_mm)
    affine = body.grid.affine
    table = gradients(person)
    bvals, bvecs = table.files()
    deviation = np.zeros((*body.grid.shape, 9), np.float32)
    for axis, coordinate in enumerate((body.x, body.y, body.z)):
        deviation[..., 4 * axis] = np.round(0.01 * np.sin(coordinate / 50) * body.mask, 3)
    t1 = contrast.t1_brain(body)
    return {
        "Diffusion/bvals": bvals,
        "Diffusion/bvecs": bvecs,
        "Diffusion/data.nii.gz": encode_volume(_series(body, table, person, "data"), affine, Space.ALIGNED),
        "Diffusion/grad_dev.nii.gz": encode_volume(deviation, affine, Space.ALIGNED),
        "Diffusion/nodif_brain_mask.nii.gz": encode_volume(body.mask.astype(np.int16), affine, Space.ALIGNED),
        "T1w/T1w_acpc_dc_restore_1.25.nii.gz": encode_volume(whole(t1), affine, Space.ALIGNED),
    }


def diffusion_unproc(person: Person) -> dict[str, bytes]:
    """The unprocessed series; both phase directions for the showcase subject."""
    body = brain(person, Space.SCANNER, person.fineness.raw_mm)
    table = gradients(person)
    bvals, bvecs = table.files()
    files: dict[str, bytes] = {}
    for direction in ("LR", "RL") if person.fineness.is_complete else ("LR",):
        stem = f"unprocessed/3T/Diffusion/{person.label}_3T_DWI_dir95_{direction}"
        series = _series(body, table, person, direction)
        files |= {
            f"{stem}.nii.gz": encode_volume(series, body.grid.affine, Space.SCANNER),
            f"{stem}.bval": bvals,
            f"{stem}.bvec": bvecs,
        }
        if person.fineness.is_complete:
            files[f"{stem}_SBRef.nii.gz"] = encode_volume(series[..., 0], body.grid.affine, Space.SCANNER)
    return files


def _series(body: Brain, table: Gradients, person: Person, purpose: str) -> NDArray[np.int16]:
    """Signal lost along the direction in which water moves: left-right in the middle, upright at the sides."""
    inside = body.mask
    x, gm, wm = body.x[inside], body.gm[inside], body.wm[inside]
    fluid = np.clip(1 - gm - wm, 0, 1)
    across = np.exp(-((x / 18) ** 2))
    fibre = np.stack([across, np.full_like(x, 0.2), 1 - across], axis=1)
    fibre /= np.linalg.norm(fibre, axis=1, keepdims=True)
    along = np.einsum("pa,av->pv", fibre, table.directions) ** 2
    diffusivity = 1e-3 * (3.0 * fluid[:, None] + 0.8 * gm[:, None] + wm[:, None] * (0.3 + 1.3 * along))
    signal = 150 * (0.6 + fluid)[:, None] * np.exp(-table.weights * diffusivity)
    die = person.die(f"diffusion {purpose}")
    series = np.zeros((len(table.weights), *reversed(body.grid.shape)), np.int16)
    series.T[inside] = np.rint(np.maximum(signal + die.normal(0, 1, signal.shape), 0))
    return series.T
