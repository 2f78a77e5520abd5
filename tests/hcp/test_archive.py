from collections import Counter
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import AddressError
from connectomedb.hcp import to_archive
from connectomedb.hcp.archive import (
    ArchivePath,
    archive_of,
    format_archive_path,
    has_resource,
    parse_archive_path,
    parse_resource_address,
    release_path_of,
    resource_address,
    step_of,
)
from connectomedb.hcp.layout import ReleasePath, parse_release_path
from connectomedb.xnat.address import format_address, parse_address

LEFT = "MNINonLinear/Results/rfMRI_REST1_LR"
MOTOR = "MNINonLinear/Results/tfMRI_MOTOR_LR"
REST_7T = "MNINonLinear/Results/rfMRI_REST3_7T_PA"
WM = "MNINonLinear/Results/tfMRI_WM"

EXAMPLES = {
    "1": ("100307_3T", "Structural_preproc", "T1w/T1w_acpc_dc_restore_brain.nii.gz", None),
    "2": ("100307_3T", "Structural_preproc", "MNINonLinear/aparc+aseg.nii.gz", None),
    "3": ("100307_3T", "tfMRI_MOTOR_LR_preproc", f"{MOTOR}/tfMRI_MOTOR_LR.nii.gz", None),
    "4": ("100307_3T", "tfMRI_MOTOR_LR_preproc", f"{MOTOR}/EVs/lf.txt", None),
    "5": (
        "100307_3T",
        "rfMRI_REST1_LR_FIX",
        "rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000_clean.nii.gz",
        f"{LEFT}/rfMRI_REST1_LR_hp2000_clean.nii.gz",
    ),
    "6": ("100307_3T", "MSMAllDeDrift", f"{LEFT}/rfMRI_REST1_LR_Atlas_MSMAll_hp2000_clean.dtseries.nii", None),
    "7": (
        "100307_3T",
        "MSMAllDeDrift",
        f"{LEFT}/rfMRI_REST1_LR_hp2000.ica/Atlas_hp_preclean.dtseries.nii",
        f"{LEFT}/Atlas_hp_preclean.dtseries.nii",
    ),
    "8": ("100307_3T", "rfMRI_REST1_LR_RSS", f"{LEFT}/rfMRI_REST1_LR_CSF.txt", None),
    "9": ("100307_3T", "Diffusion_preproc", "T1w/Diffusion/data.nii.gz", None),
    "10": ("100307_3T", "Diffusion_bedpostx", "T1w/Diffusion.bedpostX/dyads1.nii.gz", None),
    "11": (
        "100307_3T",
        "tfMRI_EMOTION_LR_unproc",
        "100307_3T_tfMRI_EMOTION_LR.nii.gz",
        "unprocessed/3T/tfMRI_EMOTION_LR/100307_3T_tfMRI_EMOTION_LR.nii.gz",
    ),
    "12": (
        "100307_3T",
        "Diffusion_unproc",
        "100307_3T_DWI_dir95_LR.bvec",
        "unprocessed/3T/Diffusion/100307_3T_DWI_dir95_LR.bvec",
    ),
    "13": (
        "100307_3T",
        "tfMRI_WM",
        f"{WM}/tfMRI_WM_hp200_s4_level2.feat/GrayordinatesStats/cope11.feat/zstat1.dtseries.nii",
        None,
    ),
    "14": (
        "100307_3T",
        "tfMRI_WM_PostMsmAllTaskAnalysis",
        f"{WM}/tfMRI_WM_hp200_s2_level2_MSMAll.feat/100307_tfMRI_WM_level2_hp200_s2_MSMAll.dscalar.nii",
        None,
    ),
    "15": ("100307_3T", "GenerateSpinEchoBiasFieldPrereqs", "T1w/Results/rfMRI_REST1_LR/SBRef_dc.nii.gz", None),
    "17": (
        "102311_7T",
        "rfMRI_REST1_PA_unproc",
        "102311_7T_rfMRI_REST1_PA.nii.gz",
        "unprocessed/7T/rfMRI_REST1_PA/102311_7T_rfMRI_REST1_PA.nii.gz",
    ),
    "18": (
        "102311_7T",
        "rfMRI_REST3_PA_FIX",
        "rfMRI_REST3_7T_PA/rfMRI_REST3_7T_PA_hp2000_clean.nii.gz",
        f"{REST_7T}/rfMRI_REST3_7T_PA_hp2000_clean.nii.gz",
    ),
}
"""Number → experiment, resource, path in it, and path inside the subject where it differs."""

HOMES = [
    ("B1", "unprocessed/3T/T1w_MPR1/100307_3T_T1w_MPR1.nii.gz", "T1w_MPR1_unproc"),
    ("B1", "unprocessed/3T/tfMRI_WM_LR/LINKED_DATA/EPRIME/EVs/2bk_body.txt", "tfMRI_WM_LR_unproc"),
    ("B1", "unprocessed/7T/tfMRI_RETBAR1_AP/filescans.csv", "tfMRI_RETBAR1_AP_unproc"),
    ("B1", "unprocessed/7T/Diffusion/100307_7T_DWI_dir71_AP.nii.gz", "Diffusion_unproc"),
    ("B2a", "T1w/Diffusion_7T/data.nii.gz", "Diffusion_preproc"),
    ("B2b", f"{REST_7T}/rfMRI_REST3_7T_PA_Atlas_1.6mm_MSMAll.dtseries.nii", "MSMAllDeDrift_HighRes"),
    ("B5", f"{REST_7T}/SBRef_dc.nii.gz", "GenerateSpinEchoBiasFieldPrereqs"),
    ("B8", f"{REST_7T}/RestingStateStats/x.png", "rfMRI_REST3_PA_RSS"),
    ("B9", f"{REST_7T}/ReclassifyAsNoise.txt", "rfMRI_REST3_PA_PostFix"),
    ("B11", f"{REST_7T}/rfMRI_REST3_7T_PA.nii.gz", "rfMRI_REST3_PA_preproc"),
    ("B2c", "MNINonLinear/fsaverage_LR59k/100307.L.white.59k_fs_LR.surf.gii", "Structural_preproc_supplemental"),
    ("B2c", "T1w/fsaverage_LR59k/100307.L.white_1.6mm_MSMAll.59k_fs_LR.surf.gii", "MSMAllDeDrift_HighRes"),
    ("B2c", "MNINonLinear/ROIs/Atlas_ROIs.1.60.nii.gz", "Structural_preproc_supplemental"),
    ("B3", "T1w/Diffusion/eddylogs/eddy_unwarped_images.eddy_parameters", "Diffusion_preproc"),
    ("B3", "T1w/T1w_acpc_dc_restore_1.25.nii.gz", "Diffusion_preproc"),
    ("B4", "T1w/Diffusion.bedpostX/xfms/eye.mat", "Diffusion_bedpostx"),
    ("B5", "T1w/Results/tfMRI_MOTOR_RL/PhaseOne_gdc_dc.nii.gz", "GenerateSpinEchoBiasFieldPrereqs"),
    ("B5", f"{MOTOR}/PhaseTwo_gdc_dc.nii.gz", "GenerateSpinEchoBiasFieldPrereqs"),
    ("B7", f"{MOTOR}/tfMRI_MOTOR_LR_Atlas_MSMAll.dtseries.nii", "MSMAllDeDrift"),
    ("B8", f"{LEFT}/rfMRI_REST1_LR_Atlas_hp2000_clean_vn.dscalar.nii", "rfMRI_REST1_LR_RSS"),
    ("B8", f"{LEFT}/rfMRI_REST1_LR_Atlas_stats.txt", "rfMRI_REST1_LR_RSS"),
    ("B8", f"{LEFT}/rfMRI_REST1_LR_WM.txt", "rfMRI_REST1_LR_RSS"),
    ("B8", f"{LEFT}/rfMRI_REST1_LR_Atlas_hp2000_clean_MGT.txt", "rfMRI_REST1_LR_RSS"),
    ("B8", f"{LEFT}/rfMRI_REST1_LR_Atlas_BiasField.dscalar.nii", "rfMRI_REST1_LR_RSS"),
    ("B9", f"{LEFT}/100307_rfMRI_REST1_LR_ICA_Classification_dualscreen.scene", "rfMRI_REST1_LR_PostFix"),
    ("B9", f"{LEFT}/ReclassifyAsSignal.txt", "rfMRI_REST1_LR_PostFix"),
    ("B9", f"{LEFT}/rfMRI_REST1_LR_hp2000.ica/Signal.txt", "rfMRI_REST1_LR_PostFix"),
    (
        "B9",
        f"{LEFT}/rfMRI_REST1_LR_hp2000.ica/filtered_func_data.ica/melodic_oIC.dscalar.nii",
        "rfMRI_REST1_LR_PostFix",
    ),
    ("B10", f"{LEFT}/rfMRI_REST1_LR_hp2000.ica/filtered_func_data.ica/melodic_oIC.dtseries.nii", "rfMRI_REST1_LR_FIX"),
    ("B10", f"{LEFT}/rfMRI_REST1_LR_hp2000.ica/.fix", "rfMRI_REST1_LR_FIX"),
    ("B10", f"{LEFT}/rfMRI_REST1_LR_Atlas_hp2000_clean.dtseries.nii", "rfMRI_REST1_LR_FIX"),
    ("B11", f"{MOTOR}/tfMRI_MOTOR_LR.L.native.func.gii", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/Movement_RelativeRMS_mean.txt", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/tfMRI_MOTOR_LR_hp200_s4_level1.fsf", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/MOTOR_run2_TAB.txt", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/tfMRI_MOTOR_LR_Atlas.dtseries.nii", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/brainmask_fs.2.nii.gz", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/tfMRI_MOTOR_LR_Physio_log.txt", "tfMRI_MOTOR_LR_preproc"),
    ("B11", f"{MOTOR}/prepare_level2_feat_analysis.sh", "tfMRI_MOTOR_LR_preproc"),
    ("B13", f"{WM}/tfMRI_WM_hp200_s12_level2.feat/Contrasts.txt", "tfMRI_WM"),
    ("B13", f"{WM}/tfMRI_WM_hp200_s4_level2vol.feat/cope1.feat/stats/zstat1.nii.gz", "tfMRI_WM"),
    ("B13", f"{WM}/tfMRI_WM_hp200_s4_level2.fsf", "tfMRI_WM"),
    ("B13", f"{WM}/prepare_level2_feat_analysis.sh", "tfMRI_WM"),
    ("B14", "MNINonLinear/ROIs/CSFReg.2.nii.gz", "rfMRI_REST1_LR_RSS"),
    ("B15", "MNINonLinear/Native/100307.L.SphericalDistortion.native.shape.gii", "MSMAllReg"),
    ("B16", "MNINonLinear/100307.MSMAll.164k_fs_LR.wb.spec", "MSMAllDeDrift"),
    ("B16", "MNINonLinear/fsaverage_LR32k/100307.L.white_MSMAll.32k_fs_LR.surf.gii", "MSMAllDeDrift"),
    ("B16", "MNINonLinear/fsaverage_LR32k/100307.L.midthickness_va.32k_fs_LR.shape.gii", "MSMAllDeDrift"),
    ("B16", "MNINonLinear/Native/100307.native.wb.spec", "MSMAllDeDrift"),
    ("B16", "T1w/Native/100307.native.wb.spec", "MSMAllDeDrift"),
    ("B16", "T1w/fsaverage_LR32k/100307.L.midthickness_MSMAll_va.32k_fs_LR.shape.gii", "MSMAllDeDrift"),
    ("B17", "MNINonLinear/xfms/acpc_dc2standard.nii.gz", "Structural_preproc"),
    ("B17", "MNINonLinear/ROIs/wmparc.2.nii.gz", "Structural_preproc"),
    ("B17", "T1w/Native/100307.L.white.native.surf.gii", "Structural_preproc"),
    ("B17", "T1w/100307/mri/transforms/eye.dat", "Structural_preproc"),
]
"""Rule, path inside the subject, resource: what the examples leave out."""

RELEASE_ONLY = {
    "manifest": ("B0", ".xdlm/100307_3T_tfMRI_MOTOR_preproc.json"),
    "release notes": ("B0", "release-notes/Structural_preproc.txt"),
    "scans at 3T": ("B2", "unprocessed/3T/100307_3T.csv"),
    "scans at 7T": ("B2", "unprocessed/7T/100307_7T.csv"),
    "MEG unprocessed": ("B2", "unprocessed/MEG/3-Restin/4D/config"),
    "MEG": ("B2", "MEG/anatomy/100307_MEG_anatomy_fiducials.txt"),
}

UNKNOWN = {
    "3T run at 7T": ("unprocessed/7T/rfMRI_REST1_LR/x", "no such scan at that field"),
    "7T run at 3T": ("unprocessed/3T/rfMRI_REST1_PA/x", "no such scan at that field"),
    "third run at 3T": ("unprocessed/3T/rfMRI_REST3_LR/x", "no such scan at that field"),
    "7T run with the other direction": ("MNINonLinear/Results/rfMRI_REST1_7T_AP/x", "no such run"),
    "7T results without the field strength": ("MNINonLinear/Results/rfMRI_REST1_PA/x", "no such run"),
    "a run among analyses": ("MNINonLinear/Results/tfMRI_MOTOR/tfMRI_MOTOR_LR.nii.gz", "analyses over runs"),
    "another smoothing": ("MNINonLinear/Results/tfMRI_MOTOR/tfMRI_MOTOR_hp200_s3_level2.feat/x", "analyses over runs"),
    "intermediate of a run": (f"{MOTOR}/OneStepResampling/x.nii.gz", "no such file of a run"),
    "folder of another subject": ("T1w/100408/mri/x.mgz", "no release has"),
    "folder nobody knows": ("T2w/x.nii.gz", "no release has"),
    "file at the top": ("README", "no release has"),
    "bucket path of Q1": ("Diffusion/data.nii.gz", "no release has"),
}

NOT_RELEASED = {
    "intermediate": ("tfMRI_MOTOR_LR_preproc", "tfMRI_MOTOR_LR/OneStepResampling/x.nii.gz", "intermediate"),
    "intermediate in the results": (
        "tfMRI_MOTOR_LR_preproc",
        f"{MOTOR}/OneStepResampling/x.nii.gz",
        "no such file of a run",
    ),
    "catalog": ("Structural_preproc", "Structural_preproc_catalog.xml", "bookkeeping"),
    "provenance": ("Structural_preproc", "T1w/x_Provenance.xml", "bookkeeping"),
    "job": ("Structural_preproc", "100307.XNAT_PBS_jobs.PUT_DATA_job.sh", "bookkeeping"),
    "start time": ("Structural_preproc", "T1w/x.starttime", "bookkeeping"),
    "log": ("Structural_preproc", "StructuralHCP.log", "bookkeeping"),
    "unknown label": ("Foo_preproc", "MNINonLinear/x", "no resource"),
    "unknown scan": ("Foo_unproc", "100307_3T_Foo.nii.gz", "no such scan"),
    "scan of 7T at 3T": ("rfMRI_REST1_PA_unproc", "100307_3T_rfMRI_REST1_PA.nii.gz", "no such scan"),
    "another run's file": ("tfMRI_MOTOR_LR_preproc", f"{LEFT}/rfMRI_REST1_LR.nii.gz", "intermediate"),
    "FIX with the whole path": ("rfMRI_REST1_LR_FIX", f"{LEFT}/rfMRI_REST1_LR_hp2000_clean.nii.gz", "intermediate"),
    "repair without the subject": (
        "rfMRI_REST1_LR_ReApplyFix",
        f"{LEFT}/rfMRI_REST1_LR_hp2000_clean.nii.gz",
        "intermediate",
    ),
    "repair of another": (
        "rfMRI_REST1_LR_ReApplyFix",
        f"100408/{LEFT}/rfMRI_REST1_LR_hp2000_clean.nii.gz",
        "intermediate",
    ),
    "7T file at 3T": ("Diffusion_preproc", "T1w/Diffusion_7T/data.nii.gz", "100307_7T"),
    "manifest": ("rfMRI_REST1_LR_ReApplyFix", "100307/.xdlm/100307_3T_x.json", "release alone"),
}

NO_ARCHIVE_PATHS = {
    "no RESOURCES": "HCP_1200/arc001/100307_3T/Structural_preproc/T1w/x",
    "arc002": "HCP_1200/arc002/100307_3T/RESOURCES/Structural_preproc/T1w/x",
    "scans": "HCP_1200/arc001/100307_3T/SCANS/101/NIFTI/x.nii.gz",
    "outside": "/elsewhere/HCP_1200/arc001/100307_3T/RESOURCES/Structural_preproc/T1w/x",
    "root": "data/archive/HCP_1200/arc001/100307_3T/RESOURCES/Structural_preproc/T1w/x",
    "project resource": "HCP_Resources/resources/GroupAvg/x.zip",
    "label alone": "HCP_1200/arc001/100307_3T/RESOURCES/Structural_preproc",
    "CREST": "HCP_1200/arc001/100307_CREST/RESOURCES/100307_CREST/T1w/x",
    "other experiment": "HCP_1200/arc001/100307_PET/RESOURCES/Structural_preproc/T1w/x",
    "subject": "HCP_1200/arc001/100307/RESOURCES/Structural_preproc/T1w/x",
    "foreign file": "HCP_1200/arc001/100307_3T/RESOURCES/T1w_MPR1_unproc/100408_3T_T1w_MPR1.nii.gz",
    "climbing": "HCP_1200/arc001/100307_3T/RESOURCES/Structural_preproc/../x",
    "empty": "",
}


def _at(session: str, label: str, path: str) -> ArchivePath:
    return ArchivePath("HCP_1200", session, label, path)


@pytest.mark.parametrize(("session", "label", "path", "inside"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_goes_both_ways(session: str, label: str, path: str, inside: str | None) -> None:
    archive = parse_archive_path(f"HCP_1200/arc001/{session}/RESOURCES/{label}/{path}")
    release = ReleasePath(session[:6], inside or path)
    assert archive == _at(session, label, path)
    assert release_path_of(archive) == release
    assert archive_of(release, "HCP_1200") == archive


@pytest.mark.parametrize(("rule", "inside", "label"), HOMES)
def test_each_rule_finds_the_resource_that_made_the_file(rule: str, inside: str, label: str) -> None:
    path = ReleasePath("100307", inside)
    assert to_archive.rule_of("100307", inside).id == rule
    found = archive_of(path, "HCP_900")
    assert (found.project, found.label) == ("HCP_900", label)
    assert has_resource(path)
    assert release_path_of(found) == path


@pytest.mark.parametrize(("rule", "inside"), RELEASE_ONLY.values(), ids=RELEASE_ONLY)
def test_a_file_of_the_release_alone_has_no_resource(rule: str, inside: str) -> None:
    path = ReleasePath("100307", inside)
    assert to_archive.rule_of("100307", inside).id == rule
    assert not has_resource(path)
    with pytest.raises(AddressError, match="no resource"):
        archive_of(path, "HCP_1200")


@pytest.mark.parametrize(("inside", "reason"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_path_that_no_release_has_is_refused_with_the_reason(inside: str, reason: str) -> None:
    path = ReleasePath("100307", inside)
    with pytest.raises(AddressError, match=reason):
        archive_of(path, "HCP_1200")
    with pytest.raises(AddressError, match=reason):
        has_resource(path)


@pytest.mark.parametrize(("label", "path", "reason"), NOT_RELEASED.values(), ids=NOT_RELEASED)
def test_a_file_that_was_not_released_is_refused_with_the_reason(label: str, path: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        release_path_of(_at("100307_3T", label, path))


@pytest.mark.parametrize("text", NO_ARCHIVE_PATHS.values(), ids=NO_ARCHIVE_PATHS)
def test_what_is_no_file_of_a_resource_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_archive_path(text)


@pytest.mark.parametrize(
    ("project", "session", "label", "path"),
    [
        ("a/b", "100307_3T", "x", "y"),
        ("..", "100307_3T", "x", "y"),
        ("P", "100307_3T", "a/b", "y"),
        ("P", "100307_3T", "", "y"),
        ("P", "100307_3T\n", "x", "y"),
        ("P", "100307_3T", "x", "a/../y"),
    ],
)
def test_no_archive_path_can_be_made_that_could_not_be_read(project: str, session: str, label: str, path: str) -> None:
    with pytest.raises(AddressError):
        ArchivePath(project, session, label, path)


@pytest.mark.parametrize(
    ("label", "path", "inside"),
    [
        ("rfMRI_REST1_LR_PostFix", f"{LEFT}/a/b/100307_x.scene", f"{LEFT}/100307_x.scene"),
        (
            "rfMRI_REST1_LR_PostFix",
            f"{LEFT}/rfMRI_REST1_LR_hp2000.ica/ReclassifyAsNoise.txt",
            f"{LEFT}/ReclassifyAsNoise.txt",
        ),
        ("rfMRI_REST1_LR_PostFix", f"{LEFT}/ReclassifyAsNoise.txt", f"{LEFT}/ReclassifyAsNoise.txt"),
    ],
)
def test_what_post_fix_scatters_is_flat_in_the_release(label: str, path: str, inside: str) -> None:
    inside = inside.replace("100307_x", "100307_rfMRI_REST1_LR_ICA_Classification_dualscreen")
    path = path.replace("100307_x", "100307_rfMRI_REST1_LR_ICA_Classification_dualscreen")
    assert release_path_of(_at("100307_3T", label, path)) == ReleasePath("100307", inside)


@pytest.mark.parametrize(
    "label",
    [
        "rfMRI_REST1_LR_HandReclassification",
        "rfMRI_REST1_LR_ApplyHandReClassification",
        "rfMRI_REST1_LR_ReApplyFix",
        "rfMRI_REST1_LR_ReApplyFixMsmAll",
        "MultiRunIcaFix_proc",
    ],
)
def test_a_repair_names_the_subject_again(label: str) -> None:
    inside = f"{LEFT}/rfMRI_REST1_LR_hp2000_clean.nii.gz"
    assert release_path_of(_at("100307_3T", label, f"100307/{inside}")) == ReleasePath("100307", inside)


def test_of_two_resources_with_one_file_the_later_step_is_right() -> None:
    order = [
        "T1w_MPR1_unproc",
        "Structural_preproc",
        "rfMRI_REST1_LR_preproc",
        "rfMRI_REST1_LR_FIX",
        "MSMAllReg",
        "MSMAllDeDrift",
        "rfMRI_REST1_LR_RSS",
        "rfMRI_REST1_LR_PostFix",
        "tfMRI_WM",
        "Diffusion_bedpostx",
        "rfMRI_REST1_LR_ReApplyFix",
    ]
    steps = [step_of(_at("100307_3T", label, "x")) for label in order]
    assert steps == sorted(set(steps))
    with pytest.raises(AddressError, match="no resource"):
        step_of(_at("100307_3T", "Foo", "x"))


def test_intermediate_files_have_an_address_too() -> None:
    path = _at("100307_3T", "tfMRI_MOTOR_LR_preproc", "tfMRI_MOTOR_LR/OneStepResampling/a b+c.nii.gz")
    text = format_address(resource_address(path))
    assert text == (
        "/data/projects/HCP_1200/subjects/100307/experiments/100307_3T/resources/tfMRI_MOTOR_LR_preproc"
        f"/files/tfMRI_MOTOR_LR/OneStepResampling/{quote('a b+c.nii.gz')}"
    )
    assert parse_resource_address(parse_address(text)) == path


@pytest.mark.parametrize(
    "address",
    [
        "/data/projects/P/subjects/100307/experiments/100408_3T/resources/x/files/y",
        "/data/projects/P/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files/T1w/x",
        "/data/projects/P/subjects/100307/experiments/100307_3T/resources/x/files/",
        "/data/projects/P/subjects/100307/experiments/100307_3T/scans/101/resources/x/files/y",
        "/data/projects/P/resources/x/files/y",
        "/data/projects/P/subjects/100307/experiments/100307_3T/resources/x/files/%2e%2e/y",
        "/data/projects/P/subjects/100307/experiments/100307_3T/resources/a%2Fb/files/y",
    ],
)
def test_what_is_no_address_of_a_resource_file_is_refused(address: str) -> None:
    with pytest.raises(AddressError):
        parse_resource_address(parse_address(address))


def test_every_file_of_a_subject_reaches_a_rule(everything: tuple[str, ...]) -> None:
    assert len(everything) > 11_000
    rules = Counter(to_archive.rule_of("100307", inside).id for inside in everything)
    assert to_archive.UNKNOWN not in rules
    assert set(rules) == {row.id for row in to_archive.ROWS} - {to_archive.UNKNOWN}


def test_every_file_with_a_resource_comes_back_from_it(everything: tuple[str, ...]) -> None:
    paths = [ReleasePath("100307", inside) for inside in everything]
    kept = [path for path in paths if has_resource(path)]
    assert len(kept) > 11_000
    for path in kept:
        archive = archive_of(path, "HCP_1200")
        assert release_path_of(archive) == path
        assert parse_archive_path(format_archive_path(archive)) == archive
        assert parse_resource_address(resource_address(archive)) == archive


@given(st.text("TMNILinear1w/._<>*{}%0 ", min_size=1, max_size=30))
def test_the_rules_decide_on_any_path(inside: str) -> None:
    assert to_archive.rule_of("100307", inside).id


@given(st.sampled_from(list(EXAMPLES.values())), st.text("ab+ #?%_.", min_size=1, max_size=8))
def test_whatever_is_released_comes_back(example: tuple[str, str, str, str | None], tail: str) -> None:
    session, label, path, _ = example
    archive = _at(session, label, f"{path}{tail}x")
    try:
        release = release_path_of(archive)
    except AddressError:
        return
    assert release_path_of(archive_of(release, "HCP_1200")) == release


def test_messages_name_the_file_and_the_reason() -> None:
    with pytest.raises(AddressError) as refused:
        archive_of(parse_release_path("100307/.xdlm/100307_3T_x.json"), "HCP_1200")
    assert str(refused.value) == (
        "Asked where the archive keeps 100307/.xdlm/100307_3T_x.json: "
        "it belongs to the release alone and lies in no resource."
    )
