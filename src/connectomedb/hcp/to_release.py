"""From a file in a resource to its release path: the rules, as a table.

Rows are tried from the top; the first that fits says how the path goes. A resource also holds intermediate
files, which were never released and have no release path.
Source: the scripts that processed and packaged HCP's data.
"""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from connectomedb.hcp.pattern import compile_pattern

_RUN = "MNINonLinear/Results/<stem><7T>_<pe>"
_DE_DRIFT = "MSMAllDeDrift{,_HighRes}"


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: which resources and paths it is about, and what their files are called in a release.

    Attributes:
        id: name of the rule; several rows may share one.
        label: labels of the resources,
        folder: a folder in them (or nothing), and
        names: the names in it, in the notation of `hcp.pattern`.
        path: path inside the subject, in which `{…}` stands for what a word of the pattern matched, `{inside}`
            for the path in the resource, `{field}` for the field strength.
    """

    id: str
    label: str
    folder: str
    names: tuple[str, ...]
    path: str = "{inside}"
    label_pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        where = "/".join(filter(None, (self.label, self.folder)))
        object.__setattr__(self, "label_pattern", compile_pattern("", (self.label,)))
        object.__setattr__(self, "pattern", compile_pattern(where, self.names))


ROWS: tuple[Row, ...] = (
    Row("F1", "<any>_unproc", "", ("**",), "unprocessed/{field}/{any}/{name}"),
    Row(
        "F2",
        "Structural_preproc{,_supplemental}",
        "",
        (
            "MNINonLinear{,/Native,/fsaverage_LR32k,/fsaverage_LR59k,/ROIs,/xfms}/*",
            "T1w{,/Native,/fsaverage_LR32k,/fsaverage_LR59k}/*",
            "T1w/<subject>/**",
        ),
    ),
    Row("F2", "<stem>_<pe>_preproc", _RUN, ("**",)),
    Row("F2", "Diffusion_preproc", "T1w", ("Diffusion{,_7T}/**", "T1w_acpc_dc_restore_1.25.nii.gz")),
    Row("F3", "<stem>_<pe>_FIX", "<stem><7T>_<pe>", ("**",), "MNINonLinear/Results/{inside}"),
    Row("F2", "GenerateSpinEchoBiasFieldPrereqs", "{MNINonLinear,T1w}/Results", ("**",)),
    Row("F2", "MSMAllReg", "{MNINonLinear,T1w}", ("**",)),
    Row(
        "F5",
        _DE_DRIFT,
        "MNINonLinear/Results/<scan>/<scan>_hp2000.ica",
        ("Atlas_hp_preclean.dtseries.nii",),
        "MNINonLinear/Results/{scan}/{name}",
    ),
    Row("F2", _DE_DRIFT, "{MNINonLinear,T1w}", ("**",)),
    Row("F2", "<stem>_<pe>_RSS", "", (f"{_RUN}/**", "MNINonLinear/ROIs/{CSFReg,WMReg}.2.nii.gz")),
    Row(
        "F6",
        "<stem>_<pe>_PostFix",
        f"{_RUN}{{,/**}}",
        ("*.scene", "ReclassifyAs*.txt"),
        "MNINonLinear/Results/{stem}{seven}_{pe}/{name}",
    ),
    Row("F2", "<stem>_<pe>_PostFix", _RUN, ("**",)),
    Row("F2", "tfMRI_<task>{,_PostMsmAllTaskAnalysis}", "MNINonLinear/Results/tfMRI_<task>", ("**",)),
    Row("F2", "Diffusion_bedpostx", "T1w/Diffusion.bedpostX", ("**",)),
    Row(
        "F4",
        "{*_HandReclassification,*_ApplyHandReClassification,*_ReApplyFix*,*MultiRunIcaFix*}",
        "<subject>",
        ("**",),
        "{name}",
    ),
)
"""The rules in order. Resources stand in the order of processing: of two that hold one file, the later is right."""

_BOOKKEEPING = (
    *("*_catalog.xml", "*_Provenance.xml", "*XNAT_PBS*job*", "*.starttime"),
    *("StructuralHCP.log", "StructuralHCP.err"),
)
"""Names of files that the archive keeps for itself."""


def inside_of(subject: str, suffix: str, label: str, path: str) -> str:
    """Path inside the subject of a file in a resource.

    `suffix` is that of the experiment's label, `3T`. Raises LookupError, which says why it has none.
    """
    if any(fnmatchcase(path.rpartition("/")[2], name) for name in _BOOKKEEPING):
        raise LookupError("it is bookkeeping of the archive, which no release has")
    rows = [row for row in ROWS if row.label_pattern.fullmatch(f"{subject}/{label}")]
    if not rows:
        raise LookupError(f"{label!r} is no resource of HCP's processing")
    for row in rows:
        if found := row.pattern.fullmatch(f"{subject}/{label}/{path}"):
            return row.path.format_map({**found.groupdict(), "inside": path, "field": suffix})
    raise LookupError("it is an intermediate file, which no release has")


def step_of(subject: str, label: str) -> int:
    """How late in the processing a resource was made, as a number that grows. Raises LookupError."""
    for step, row in enumerate(ROWS):
        if row.label_pattern.fullmatch(f"{subject}/{label}"):
            return step
    raise LookupError(f"{label!r} is no resource of HCP's processing")
