"""From a release path to the resource of an experiment that holds the file: the rules, as a table.

Rows are tried from the top; the first that fits decides. Rows with a reason say why there is no such
resource, and the last of them fit all that is left over. The rules before B18 cover every key of a full
listing of the S1200 release.
Source: the scripts that processed and packaged HCP's data; listings of the buckets.
"""

import re
from dataclasses import dataclass, field

from connectomedb.hcp.pattern import compile_pattern
from connectomedb.hcp.scans import RESULTS

UNKNOWN = "B18"
"""Rule of the paths which no release has."""

_RUN = "MNINonLinear/Results/<scan>"
_LEVEL2 = "MNINonLinear/Results/tfMRI_<task>"
_ICA = "<scan>_hp2000.ica"
_AT_FIELD = "{field}"
_BIAS = "GenerateSpinEchoBiasFieldPrereqs"
_SUPPLEMENT = "Structural_preproc_supplemental"
_HIGH_RES = "MSMAllDeDrift_HighRes"

_RELEASE_ONLY = "it belongs to the release alone and lies in no resource"
_UNTOLD = "no resource is known to hold it"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies: the experiment's suffix (`3T`), the resource's label, the path in the resource."""

    suffix: str
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: which paths inside a subject it is about, and where their files lie.

    Attributes:
        id: name of the rule; several rows may share one.
        folder: the folder, and
        names: the names in it, in the notation of `hcp.pattern`.
        suffix: suffix of the experiment's label, in which, as in the next two, `{…}` stands for what a word
            of the pattern matched, `{inside}` for the path inside the subject, and for a run's files
            `{field}` and `{run}` for its field strength and its name as acquired.
        label: label of the resource.
        path: path in the resource.
        reason: why there is no resource.
    """

    id: str
    folder: str
    names: tuple[str, ...]
    suffix: str = ""
    label: str = ""
    path: str = "{inside}"
    reason: str = ""
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_pattern(self.folder, self.names))


ROWS: tuple[Row, ...] = (
    Row("B0", "{.xdlm,release-notes}", ("*",), reason=_RELEASE_ONLY),
    Row("B1", "unprocessed/3T/<scan3T>", ("**",), "3T", "{scan3T}_unproc", "{name}"),
    Row("B1", "unprocessed/7T/<scan7T>", ("**",), "7T", "{scan7T}_unproc", "{name}"),
    Row("B2", "unprocessed/{3T,7T}", ("*",), reason=_UNTOLD),
    Row("B2", "{unprocessed/MEG,MEG}", ("**",), reason=_UNTOLD),
    Row("B2a", "T1w/Diffusion_7T", ("**",), "7T", "Diffusion_preproc"),
    # Rule B2b, the runs at 7T, is this row and then B5 to B11, which take their field strength from the run.
    Row("B2b", _RUN, ("<scan>_Atlas_1.6mm_MSMAll*.dtseries.nii",), _AT_FIELD, _HIGH_RES),
    Row("B2c", "{MNINonLinear,T1w}/fsaverage_LR59k", ("*1.6mm_MSMAll*",), "7T", _HIGH_RES),
    Row("B2c", "{MNINonLinear,T1w}/fsaverage_LR59k", ("*",), "3T", _SUPPLEMENT),
    Row("B2c", "MNINonLinear/ROIs", ("*.1.60.nii.gz",), "3T", _SUPPLEMENT),
    Row("B3", "T1w", ("Diffusion/**", "T1w_acpc_dc_restore_1.25.nii.gz"), "3T", "Diffusion_preproc"),
    Row("B4", "T1w/Diffusion.bedpostX", ("**",), "3T", "Diffusion_bedpostx"),
    Row("B5", "T1w/Results/<scan>", ("*.nii.gz",), _AT_FIELD, _BIAS),
    Row("B5", _RUN, ("{PhaseOne_gdc_dc,PhaseTwo_gdc_dc,SBRef_dc}.nii.gz",), _AT_FIELD, _BIAS),
    Row(
        "B6",
        _RUN,
        ("Atlas_hp_preclean.dtseries.nii",),
        _AT_FIELD,
        "MSMAllDeDrift",
        "MNINonLinear/Results/{scan}/{scan}_hp2000.ica/{name}",
    ),
    Row("B7", _RUN, ("*_Atlas_MSMAll{,_hp2000_clean}.dtseries.nii",), _AT_FIELD, "MSMAllDeDrift"),
    Row(
        "B8",
        _RUN,
        (
            "*_Atlas{,_1.6mm}{,_MSMAll}_hp2000_clean_{bias,vn}.dscalar.nii",
            "*_Atlas_stats.*",
            "<scan>_{CSF,WM}.txt",
            "RestingStateStats/**",
            "<scan>_Atlas_*MGT.txt",
            "<scan>_Atlas_BiasField.dscalar.nii",
        ),
        _AT_FIELD,
        "{run}_RSS",
    ),
    # The one exception to B9 stands before it.
    Row("B10", f"{_RUN}/{_ICA}/filtered_func_data.ica", ("*dtseries*",), _AT_FIELD, "{run}_FIX", "{results}"),
    Row(
        "B9",
        _RUN,
        (
            "*ICA_Classification*.scene",
            "ReclassifyAs*.txt",
            f"{_ICA}/{{Noise,Signal}}.txt",
            f"{_ICA}/filtered_func_data.ica/*.nii",
        ),
        _AT_FIELD,
        "{run}_PostFix",
    ),
    Row(
        "B10",
        _RUN,
        (f"{_ICA}/**", "<scan>_hp2000_clean.nii.gz", "<scan>_Atlas{,_1.6mm}_hp2000_clean.dtseries.nii"),
        _AT_FIELD,
        "{run}_FIX",
        "{results}",
    ),
    Row(
        "B11",
        _RUN,
        (
            "<scan>{,_SBRef,_Jacobian,_dropouts,_sebased_bias,_sebased_reference}.nii.gz",
            "<scan>_Atlas{,_1.6mm}.dtseries.nii",
            "<scan>.{L,R}.native.func.gii",
            "brainmask_fs.{2,1.60}.nii.gz",
            "Movement_{Regressors,Regressors_dt,AbsoluteRMS,AbsoluteRMS_mean,RelativeRMS,RelativeRMS_mean}.txt",
            "*_Physio_*.txt",
            "*_TAB.txt",
            "*.fsf",
            "prepare_level2_feat_analysis.sh",
            "EVs/*.{txt,csv}",
            "RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz",
        ),
        _AT_FIELD,
        "{run}_preproc",
    ),
    Row("B12", _LEVEL2, ("**_MSMAll.feat/**",), "3T", "tfMRI_{task}_PostMsmAllTaskAnalysis"),
    Row(
        "B13",
        _LEVEL2,
        (
            "tfMRI_<task>_hp200_s{2,4,8,12}_level2.feat/**",
            "tfMRI_<task>_hp200_s4_level2vol.feat/**",
            "tfMRI_<task>_hp200_s{2,4,8,12}_level2.fsf",
            "prepare_level2_feat_analysis.sh",
        ),
        "3T",
        "tfMRI_{task}",
    ),
    # All resting runs hold the same two files; nobody can tell from here which runs a subject has.
    Row("B14", "MNINonLinear/ROIs", ("{CSFReg,WMReg}.2.nii.gz",), "3T", "rfMRI_REST1_LR_RSS"),
    Row("B15", "MNINonLinear/Native", ("*.SphericalDistortion*",), "3T", "MSMAllReg"),
    Row(
        "B16",
        "{MNINonLinear{,/Native,/fsaverage_LR32k},T1w/fsaverage_LR32k}",
        ("*_MSMAll*", "*.MSMAll.*", "*_va*"),
        "3T",
        "MSMAllDeDrift",
    ),
    Row("B16", "{MNINonLinear,T1w}/Native", ("*.native.wb.spec", "*_va*"), "3T", "MSMAllDeDrift"),
    Row("B17", "MNINonLinear{,/Native,/fsaverage_LR32k,/ROIs,/xfms}", ("*",), "3T", "Structural_preproc"),
    Row("B17", "T1w{,/Native,/fsaverage_LR32k}", ("*",), "3T", "Structural_preproc"),
    Row("B17", "T1w/<subject>", ("**",), "3T", "Structural_preproc"),
    Row(UNKNOWN, "unprocessed/{3T,7T}", ("**",), reason="there is no such scan at that field strength"),
    Row(UNKNOWN, _LEVEL2, ("**",), reason="that folder holds analyses over runs, and no files of a run"),
    Row(UNKNOWN, _RUN, ("**",), reason="no such file of a run is released"),
    Row(UNKNOWN, "{MNINonLinear,T1w}/Results", ("**",), reason="there is no such run or task"),
    Row(UNKNOWN, "", ("**",), reason="no release has a file there"),
)
"""The rules in order. They decide on every clean path."""


def rule_of(subject: str, inside: str) -> Row:
    """The rule that decides on a clean path inside a subject."""
    return _match(subject, inside)[0]


def place_of(subject: str, inside: str) -> Place:
    """Where the file lies. Raises LookupError, which says why, when no resource holds it."""
    row, words = _match(subject, inside)
    if row.reason:
        raise LookupError(row.reason)
    words["inside"] = inside
    if scan := words.get("scan"):
        strength, words["run"] = RESULTS[scan]
        words["field"] = strength.value
        words["results"] = inside.removeprefix("MNINonLinear/Results/")
    return Place(row.suffix.format_map(words), row.label.format_map(words), row.path.format_map(words))


def _match(subject: str, inside: str) -> tuple[Row, dict[str, str]]:
    """The first row that fits, and what the words of its pattern stand for."""
    path = f"{subject}/{inside}"
    for row in ROWS:
        if found := row.pattern.fullmatch(path):
            return row, found.groupdict()
    raise AssertionError(f"No rule decides on {path!r}, though the last decides on all.")
