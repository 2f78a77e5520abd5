"""Packages: which files of a subject make up a named part of a release, such as `3T_Structural_preproc`.

A package is a list of patterns of paths inside the subject (see `hcp.pattern`), as release paths: a bucket that
keeps a folder elsewhere changes keys, not packages. Packages may share files. A package also holds its
manifest and its release notes.

Source: the definitions of HCP's packager, and manifests of the S1200 release. Those of the functional
packages at 7T are not public; here they hold what their names say. Extended packages at 7T and packages
of MEG are left out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from connectomedb.errors import AddressError
from connectomedb.hcp.pattern import compile_pattern
from connectomedb.hcp.scans import RUNS, TASKS, Field


class Level(StrEnum):
    """How far the files of a package are processed."""

    UNPROCESSED = "unprocessed"
    PREPROCESSED = "preprocessed"
    ANALYSIS = "analysis"


@dataclass(frozen=True, slots=True)
class Package:
    """One package.

    Attributes:
        id: name of the package, which after `<subject>_` is that of its zip: `3T_tfMRI_MOTOR_preproc`.
        label: name for people.
        session: kind of the experiment.
        level: how far its files are processed.
        patterns: its files, as patterns of paths inside the subject.
    """

    id: str
    label: str
    session: Field
    level: Level
    patterns: tuple[str, ...]


def packages() -> Mapping[str, Package]:
    """Id → package, in the order in which they are offered."""
    return _catalogue()


def package(name: str) -> Package:
    """The package of that id. Raises AddressError, naming the nearest ones, when there is none."""
    try:
        return packages()[name]
    except KeyError:
        near = get_close_matches(name, packages(), n=3, cutoff=0.5) or list(packages())[:3]
        raise AddressError(f"Asked for package {name!r}: there is none. Did you mean {' or '.join(near)}?") from None


def matches(package: Package, path: str, subject: str) -> bool:
    """Whether a path inside a subject (six digits) belongs to a package."""
    return _compiled(package.patterns).fullmatch(f"{subject}/{path}") is not None


@cache
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return compile_pattern("", patterns)


@dataclass(frozen=True, slots=True)
class _Member:
    """One of several packages made alike: what NAME, LABEL and RUN stand for."""

    name: str = ""
    label: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class _Family:
    """Packages made alike, one for each member; NAME, LABEL and RUN are filled in."""

    session: Field
    level: Level
    name: str
    label: str
    patterns: tuple[str, ...]
    members: tuple[_Member, ...] = (_Member(),)

    def packages(self) -> Iterator[Package]:
        # Only notes at 3T may leave out the field strength, or they would be those of 7T too.
        unsaid = "," if self.session is Field.MR3T else ""
        for member in self.members:
            name = self.name.replace("NAME", member.name)
            files = (pattern.replace("NAME", member.name).replace("RUN", member.run) for pattern in self.patterns)
            papers = (
                f".xdlm/<subject>_{self.session}_{name}.json",
                f"release-notes/{{{unsaid}{self.session}_}}{name}.txt",
            )
            label = self.label.replace("LABEL", member.label)
            yield Package(f"{self.session}_{name}", label, self.session, self.level, (*files, *papers))


_TASK_LABELS = {task: task.title() for task in TASKS} | {"WM": "Working Memory"}

_TASKS = tuple(
    _Member(f"tfMRI_{task}", f"{label} Task fMRI", f"tfMRI_{task}_{{LR,RL}}") for task, label in _TASK_LABELS.items()
)
_RESTS = tuple(_Member(f"rfMRI_REST{n}", f"Resting State fMRI {n}", f"rfMRI_REST{n}_{{LR,RL}}") for n in "12")
_REST = _Member("rfMRI_REST", "Resting State fMRI", "rfMRI_REST{1,2}_{LR,RL}")

_RUNS_7T = tuple(
    _Member(run.rpartition("_")[0], run.rpartition("_")[0].replace("_", " "), run) for run in RUNS[Field.MR7T]
)
_GROUPS_7T = (
    _Member("REST", "Resting State fMRI", "rfMRI_REST{1,2,3,4}_7T_{AP,PA}"),
    _Member("MOVIE", "Movie Task fMRI", "tfMRI_MOVIE{1,2,3,4}_7T_{AP,PA}"),
    _Member("RET", "Retinotopy Task fMRI", "tfMRI_RET{BAR1,BAR2,CCW,CON,CW,EXP}_7T_{AP,PA}"),
)

_STRUCTURAL_IMAGES = (
    "T1w/{BiasField_acpc_dc,T1wDividedByT2w{,_ribbon},{T1w,T2w}_acpc_dc{,_restore{,_brain}},"
    "{aparc,aparc.a2009s}+aseg,brainmask_fs,ribbon,wmparc}.nii.gz"
)

_RESULTS = "MNINonLinear/Results/RUN"

_FAMILIES: tuple[_Family, ...] = (
    _Family(
        Field.MR3T,
        Level.UNPROCESSED,
        "Structural_unproc",
        "Structural Unprocessed",
        ("unprocessed/3T/{T1w_MPR1,T1w_MPR2,T2w_SPC1,T2w_SPC2}/**",),
    ),
    _Family(
        Field.MR3T,
        Level.UNPROCESSED,
        "NAME_unproc",
        "LABEL Unprocessed",
        ("unprocessed/3T/RUN/**",),
        (*_RESTS, *_TASKS, _Member("Diffusion", "Diffusion", "Diffusion")),
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "Structural_preproc",
        "Structural Preprocessed",
        (
            "MNINonLinear{,/Native,/fsaverage_LR32k,/xfms}/*",
            "MNINonLinear/ROIs/*.2.nii.gz",
            _STRUCTURAL_IMAGES,
            "T1w/<subject>_3T.csv",
            "T1w/{Native,fsaverage_LR32k}/*",
        ),
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "Structural_preproc_extended",
        "Structural Preprocessed Extended",
        ("T1w/<subject>/**",),
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "Structural_1.6mm_preproc",
        "Structural Preprocessed for 7T (1.6mm/59k mesh)",
        ("MNINonLinear/{,ROIs/}*.1.60.nii.gz", "{MNINonLinear,T1w}/fsaverage_LR59k/*"),
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "NAME_preproc",
        "LABEL Preprocessed",
        (
            f"{_RESULTS}/RUN{{,_SBRef,_Jacobian}}.nii.gz",
            f"{_RESULTS}/RUN_Atlas{{,_MSMAll}}.dtseries.nii",
            f"{_RESULTS}/RUN.{{L,R}}.native.func.gii",
            f"{_RESULTS}/{{brainmask_fs.2,PhaseOne_gdc_dc,PhaseTwo_gdc_dc,SBRef_dc}}.nii.gz",
            f"{_RESULTS}/{{Movement_*,*_Physio_*}}.txt",
            f"{_RESULTS}/RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz",
            "T1w/Results/RUN/*.nii.gz",
        ),
        _RESTS,
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "NAME_fix",
        "LABEL FIX-Denoised (Compact)",
        (
            f"{_RESULTS}/RUN_Atlas{{,_MSMAll}}_hp2000_clean.dtseries.nii",
            f"{_RESULTS}/RUN_Atlas_hp2000_clean_{{bias,vn}}.dscalar.nii",
            f"{_RESULTS}/Atlas_hp_preclean.dtseries.nii",
        ),
        (_REST,),
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "NAME_fixextended",
        "LABEL FIX-Denoised (Extended)",
        (
            f"{_RESULTS}/RUN_hp2000_clean.nii.gz",
            f"{_RESULTS}/RUN_hp2000.ica/**",
            f"{_RESULTS}/RUN_{{CSF,WM,Atlas_stats,Atlas_*MGT}}.txt",
            f"{_RESULTS}/RUN_Atlas_{{stats,BiasField}}.dscalar.nii",
            f"{_RESULTS}/RestingStateStats/**",
            f"{_RESULTS}/ReclassifyAs*.txt",
            f"{_RESULTS}/*ICA_Classification*.scene",
        ),
        _RESTS,
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "NAME_preproc",
        "LABEL Preprocessed",
        (f"{_RESULTS}/**", "T1w/Results/RUN/*.nii.gz"),
        _TASKS,
    ),
    _Family(
        Field.MR3T,
        Level.PREPROCESSED,
        "Diffusion_preproc",
        "Diffusion Preprocessed",
        ("T1w/Diffusion/**", "T1w/T1w_acpc_dc_restore_1.25.nii.gz", "release-notes/ReleaseNotes.txt"),
    ),
    *(
        _Family(
            Field.MR3T,
            Level.ANALYSIS,
            f"NAME_analysis_s{mm}",
            f"LABEL Analysis, {mm} mm smoothing",
            (f"MNINonLinear/Results/NAME/{{NAME_hp200_s{mm}_level2{{,_MSMAll,vol}}.{{feat/**,fsf}}{script}}}",),
            _TASKS,
        )
        for mm, script in ((2, ""), (4, ",prepare_level2_feat_analysis.sh"), (8, ""), (12, ""))
    ),
    _Family(
        Field.MR7T,
        Level.UNPROCESSED,
        "NAME_unproc",
        "LABEL Unprocessed",
        ("unprocessed/7T/RUN/**",),
        (*_RUNS_7T, _Member("Diffusion", "Diffusion", "Diffusion")),
    ),
    _Family(
        Field.MR7T,
        Level.PREPROCESSED,
        "Diffusion_preproc",
        "Diffusion Preprocessed",
        ("T1w/Diffusion_7T/**",),
    ),
    *(
        _Family(
            Field.MR7T,
            Level.PREPROCESSED,
            f"NAME_{grid}_{step}",
            f"LABEL {shape} {word}",
            (f"{_RESULTS}/RUN{image}",),
            _GROUPS_7T,
        )
        for grid, step, shape, word, image in (
            ("2mm", "preproc", "2mm/32k", "Preprocessed", "_Atlas{,_MSMAll}.dtseries.nii"),
            ("2mm", "fix", "2mm/32k", "FIX-Denoised (Compact)", "_Atlas{,_MSMAll}_hp2000_clean.dtseries.nii"),
            ("1.6mm", "preproc", "1.6mm/59k", "Preprocessed", "_Atlas_1.6mm{,_MSMAll}.dtseries.nii"),
            ("1.6mm", "fix", "1.6mm/59k", "FIX-Denoised (Compact)", "_Atlas_1.6mm{,_MSMAll}_hp2000_clean.dtseries.nii"),
            ("Volume", "preproc", "Volume", "Preprocessed", ".nii.gz"),
            ("Volume", "fix", "Volume", "FIX-Denoised (Compact)", "_hp2000_clean.nii.gz"),
        )
    ),
)

_BEDPOSTX = Package(
    "bedpostx",
    "Diffusion Fibre Model (bedpostX)",
    Field.MR3T,
    Level.ANALYSIS,
    ("T1w/Diffusion.bedpostX/**", "release-notes/bedpostx.txt"),
)
"""The one package whose name does not say its session."""


@cache
def _catalogue() -> Mapping[str, Package]:
    every = (*(one for family in _FAMILIES for one in family.packages()), _BEDPOSTX)
    return MappingProxyType({one.id: one for one in every})
