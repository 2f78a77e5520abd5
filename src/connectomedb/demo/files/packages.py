"""One subject's whole tree, package by package: files, release notes and manifests.

Diffusion/  MNINonLinear/  T1w/  unprocessed/      from the packages' builders
release-notes/<package>.txt                        belongs to its package
.xdlm/<subject>_3T_<package>.json                  lists its package, but for itself
"""

import hashlib
from collections.abc import Callable, Mapping

from connectomedb.demo.brain.person import Person
from connectomedb.demo.files.analysis import motor_analysis
from connectomedb.demo.files.diffusion import diffusion_preproc, diffusion_unproc
from connectomedb.demo.files.functional import motor_preproc, rest_preproc
from connectomedb.demo.files.structural import structural_preproc
from connectomedb.demo.files.unprocessed import motor_unproc, rest_unproc, structural_unproc
from connectomedb.demo.subjects import MOTOR_LR, REST, SHOWCASE
from connectomedb.hcp.manifest import Entry, Manifest, format_manifest, manifest_path

PACKAGES: Mapping[str, Callable[[Person], dict[str, bytes]]] = {
    "Structural_preproc": structural_preproc,
    "Structural_unproc": structural_unproc,
    "rfMRI_REST1_preproc": rest_preproc,
    "rfMRI_REST1_unproc": rest_unproc,
    "tfMRI_MOTOR_preproc": motor_preproc,
    "tfMRI_MOTOR_unproc": motor_unproc,
    "tfMRI_MOTOR_analysis_s4": motor_analysis,
    "Diffusion_preproc": diffusion_preproc,
    "Diffusion_unproc": diffusion_unproc,
}

UNCOVERED: Mapping[str, str] = {SHOWCASE: f"MNINonLinear/Results/{MOTOR_LR}/{MOTOR_LR}.L.native.func.gii"}
"""Subject → the one file that no manifest lists, as happens to files that are added later."""

BUCKET_LACKS: Mapping[str, str] = {"200614": f"MNINonLinear/Results/{REST}/{REST}.nii.gz"}
"""Subject → the one file that the archive has and the bucket has not."""

_RELEASED = "2013-03-05"


def subject_files(person: Person) -> dict[str, bytes]:
    """Every file of a subject in bucket layout, path inside the subject → bytes, in the order of the packages."""
    tree: dict[str, bytes] = {}
    for package, build in PACKAGES.items():
        files = build(person)
        if files:
            files[f"release-notes/{package}.txt"] = _release_note(person.label, package)
            tree |= files
            tree[manifest_path(person.label, f"3T_{package}")] = _manifest(person.label, files)
    return tree


def _manifest(subject: str, files: Mapping[str, bytes]) -> bytes:
    entries = tuple(
        Entry(path, len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
        for path, content in sorted(files.items())
        if path != UNCOVERED.get(subject)
    )
    return format_manifest(Manifest(subject, entries))


def _release_note(subject: str, package: str) -> bytes:
    return (
        f"{subject}_3T_{package}.zip\n"
        "\n"
        f"{_RELEASED}\n"
        "\n"
        "These files are SYNTHETIC. A program made them from a seed, an average brain and random numbers;\n"
        "they show how a release is laid out and say nothing about any person. No terms apply to them.\n"
        "Average brain and cortex: ICBM 152 and fsaverage5, as shipped with the nilearn package; please\n"
        "acknowledge both when you show a picture of this demo.\n"
    ).encode()
