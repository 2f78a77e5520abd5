"""The names of all files of a complete subject of the S1200 release, made from their grammar."""

from collections.abc import Iterator

import pytest

SUBJECT = "100307"
TASKS = {
    "EMOTION": "EMOTION_Stats.csv Sync.txt fear.txt neut.txt",
    "GAMBLING": "GAMBLING_Stats.csv Sync.txt loss.txt loss_event.txt neut_event.txt win.txt win_event.txt",
    "LANGUAGE": "LANGUAGE_Stats.csv Sync.txt cue.txt math.txt present_math.txt present_story.txt question_math.txt "
    "question_story.txt response_math.txt response_story.txt story.txt",
    "MOTOR": "Sync.txt cue.txt lf.txt lh.txt rf.txt rh.txt t.txt",
    "RELATIONAL": "RELATIONAL_Stats.csv Sync.txt error.txt match.txt relation.txt",
    "SOCIAL": "SOCIAL_Stats.csv Sync.txt mental.txt mental_resp.txt other_resp.txt rnd.txt",
    "WM": " ".join(
        f"{back}bk_{what}.txt" for back in "02" for what in ("body", "cor", "err", "faces", "nlr", "places", "tools")
    )
    + " all_bk_cor.txt all_bk_err.txt Sync.txt WM_Stats.csv",
}
COPES = {"MOTOR": 26, "WM": 30}
RESTS = ("rfMRI_REST1_LR", "rfMRI_REST1_RL", "rfMRI_REST2_LR", "rfMRI_REST2_RL")
RUNS_7T = "rfMRI_REST1_PA rfMRI_REST2_AP rfMRI_REST3_PA rfMRI_REST4_AP tfMRI_MOVIE1_AP tfMRI_MOVIE2_PA tfMRI_RETCCW_AP"
SMOOTHINGS = (2, 4, 8, 12)
MOVEMENT = "Regressors Regressors_dt AbsoluteRMS AbsoluteRMS_mean RelativeRMS RelativeRMS_mean"
ROIS = "Atlas_ROIs Atlas_wmparc CSFReg ROIs WMReg wmparc"
WARPS = "NonlinearRegJacobians acpc_dc2standard standard2acpc_dc"
STATISTICS = (
    "cope1 mask mean_random_effects_var1 pe1 res4d tdof_t1 tstat1 varcope1 weights1 "
    "zflame1lowertstat1 zflame1uppertstat1 zstat1"
)
SURFACES = "flat inflated midthickness pial sphere very_inflated white"
MAPS = (
    "ArealDistortion_FS ArealDistortion_MSMSulc ArealDistortion_MSMAll EdgeDistortion_MSMAll "
    "SphericalDistortion_MSMAll MyelinMap MyelinMap_BC SmoothedMyelinMap "
    "SmoothedMyelinMap_BC corrThickness curvature sulc refsulc thickness"
)


def structural(s: str) -> Iterator[str]:
    images = "ribbon wmparc brainmask_fs aparc+aseg aparc.a2009s+aseg"
    for name in f"BiasField T1w T1w_restore T1w_restore.2 T1w_restore_brain T2w T2w_restore {images}".split():
        yield f"MNINonLinear/{name}.nii.gz"
    for name in (
        "BiasField_acpc_dc T1wDividedByT2w T1wDividedByT2w_ribbon T1w_acpc_dc T1w_acpc_dc_restore "
        f"T1w_acpc_dc_restore_brain T2w_acpc_dc T2w_acpc_dc_restore T2w_acpc_dc_restore_brain {images}"
    ).split():
        yield f"T1w/{name}.nii.gz"
    yield f"T1w/{s}_3T.csv"
    for folder, mesh in (("", "164k_fs_LR"), ("Native/", "native"), ("fsaverage_LR32k/", "32k_fs_LR")):
        yield f"MNINonLinear/{folder}{s}.{mesh}.wb.spec"
        yield f"MNINonLinear/{folder}{s}.MSMAll.{mesh}.wb.spec"
        for name in MAPS.split():
            yield f"MNINonLinear/{folder}{s}.{name}.{mesh}.dscalar.nii"
            yield from (f"MNINonLinear/{folder}{s}.{side}.{name}.{mesh}.shape.gii" for side in "LR")
        for name in SURFACES.split():
            yield from (
                f"MNINonLinear/{folder}{s}.{side}.{name}{a}.{mesh}.surf.gii" for side in "LR" for a in ("", "_MSMAll")
            )
    for side in "LR":
        yield f"T1w/Native/{s}.{side}.white.native.surf.gii"
        yield f"T1w/fsaverage_LR32k/{s}.{side}.white_MSMAll.32k_fs_LR.surf.gii"
        yield f"T1w/fsaverage_LR32k/{s}.{side}.white.32k_fs_LR.surf.gii"
        yield f"T1w/fsaverage_LR32k/{s}.{side}.midthickness_MSMAll_va.32k_fs_LR.shape.gii"
    yield f"T1w/Native/{s}.native.wb.spec"
    yield f"T1w/fsaverage_LR32k/{s}.midthickness_MSMAll_va.32k_fs_LR.dscalar.nii"
    yield from (f"MNINonLinear/ROIs/{n}.2.nii.gz" for n in ROIS.split())
    yield from (f"MNINonLinear/xfms/{n}.nii.gz" for n in WARPS.split())
    for name in (
        "label/lh.cortex.label",
        "mri/aparc+aseg.mgz",
        "mri/orig/001.mgz",
        "mri/transforms/eye.dat",
        "surf/lh.white",
    ):
        yield f"T1w/{s}/{name}"


def diffusion(s: str) -> Iterator[str]:
    yield "T1w/T1w_acpc_dc_restore_1.25.nii.gz"
    for name in ("bvals", "bvecs", "data.nii.gz", "grad_dev.nii.gz", "nodif_brain_mask.nii.gz"):
        yield f"T1w/Diffusion/{name}"
    for n in range(8):
        yield f"T1w/Diffusion/eddylogs/eddy_unwarped_images.eddy_{n}"
    for name in (
        "dyads1.nii.gz",
        "merged_f1samples.nii.gz",
        "bvals",
        "logs/log1",
        "logs_gpu/log",
        "monitor/1",
        "xfms/eye.mat",
    ):
        yield f"T1w/Diffusion.bedpostX/{name}"


def run(scan: str) -> Iterator[str]:
    """What all functional runs of 3T and 7T have."""
    yield from (f"T1w/Results/{scan}/{name}.nii.gz" for name in ("PhaseOne_gdc_dc", "PhaseTwo_gdc_dc", "SBRef_dc"))
    folder = f"MNINonLinear/Results/{scan}"
    for name in (
        f"{scan}",
        f"{scan}_SBRef",
        f"{scan}_Jacobian",
        "brainmask_fs.2",
        "PhaseOne_gdc_dc",
        "PhaseTwo_gdc_dc",
        "SBRef_dc",
    ):
        yield f"{folder}/{name}.nii.gz"
    yield from (f"{folder}/{scan}.{side}.native.func.gii" for side in "LR")
    yield from (f"{folder}/{scan}_Atlas{kind}.dtseries.nii" for kind in ("", "_MSMAll"))
    yield from (f"{folder}/Movement_{kind}.txt" for kind in MOVEMENT.split())
    yield f"{folder}/{scan}_Physio_log.txt"
    yield f"{folder}/RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz"


def cleaned(s: str, scan: str) -> Iterator[str]:
    """What ICA+FIX and the steps after it add to a run."""
    folder = f"MNINonLinear/Results/{scan}"
    yield f"{folder}/{scan}_hp2000_clean.nii.gz"
    yield from (f"{folder}/{scan}_Atlas{kind}_hp2000_clean.dtseries.nii" for kind in ("", "_MSMAll"))
    yield from (f"{folder}/{scan}_Atlas_hp2000_clean_{kind}.dscalar.nii" for kind in ("bias", "vn"))
    yield from (
        f"{folder}/{scan}_{name}" for name in ("Atlas_stats.dscalar.nii", "Atlas_stats.txt", "CSF.txt", "WM.txt")
    )
    yield f"{folder}/Atlas_hp_preclean.dtseries.nii"
    yield from (f"{folder}/ReclassifyAs{kind}.txt" for kind in ("Noise", "Signal"))
    yield from (f"{folder}/{s}_{scan}_ICA_Classification_{kind}screen.scene" for kind in ("dual", "single"))
    yield from (f"{folder}/RestingStateStats/{scan}_{n}.{kind}" for n in range(26) for kind in ("png", "txt"))
    ica = f"{folder}/{scan}_hp2000.ica"
    yield from (f"{ica}/{name}" for name in (".fix", "Noise.txt", "Signal.txt"))
    for name in (
        "melodic_mix",
        "melodic_IC.nii.gz",
        "melodic_oIC.dscalar.nii",
        "melodic_oIC.dtseries.nii",
        "eigenvalues",
    ):
        yield f"{ica}/filtered_func_data.ica/{name}"
    yield from (f"{ica}/filtered_func_data.ica/report/f{n}.{kind}" for n in range(400) for kind in ("png", "html"))


def task_run(task: str, scan: str) -> Iterator[str]:
    yield from run(scan)
    folder = f"MNINonLinear/Results/{scan}"
    number = 2 if scan.endswith("LR") else 1
    yield f"{folder}/{scan}_hp200_s4_level1.fsf"
    yield f"{folder}/{task}_run{number}_TAB.txt"
    if task == "WM":
        yield f"{folder}/REC_run{number}_TAB.txt"
    yield from (f"{folder}/EVs/{name}" for name in TASKS[task].split())


def analysis(s: str, task: str) -> Iterator[str]:
    scan = f"tfMRI_{task}"
    folder = f"MNINonLinear/Results/{scan}"
    yield f"{folder}/{scan}_hp200_s4_level2.fsf"
    yield f"{folder}/prepare_level2_feat_analysis.sh"
    for mm, kind in ((2, ""), (4, ""), (8, ""), (12, ""), (2, "_MSMAll"), (4, "_MSMAll")):
        feat = f"{folder}/{scan}_hp200_s{mm}_level2{kind}.feat"
        yield from (f"{feat}/design.{end}" for end in ("con", "fsf", "grp", "mat", "png", "ppm"))
        yield from (f"{feat}/{name}" for name in ("Contrasts.txt", "design_cov.png", "design_cov.ppm"))
        yield f"{feat}/{s}_{scan}_level2_hp200_s{mm}{kind}.dscalar.nii"
        for cope in range(1, COPES.get(task, 6) + 1):
            yield from (f"{feat}/GrayordinatesStats/cope{cope}.feat/{name}.dtseries.nii" for name in STATISTICS.split())
            yield f"{feat}/GrayordinatesStats/cope{cope}.feat/logfile"
    volume = f"{folder}/{scan}_hp200_s4_level2vol.feat"
    yield from (
        f"{volume}/{name}" for name in ("mask.nii.gz", "cope1.feat/design.lev", "cope1.feat/stats/zstat1.nii.gz")
    )


def unprocessed(s: str) -> Iterator[str]:
    yield f"unprocessed/3T/{s}_3T.csv"
    for scan in ("T1w_MPR1", "T1w_MPR2", "T2w_SPC1"):
        for name in ("AFI", "BIAS_32CH", "BIAS_BC", "FieldMap_Magnitude", "FieldMap_Phase", scan):
            yield f"unprocessed/3T/{scan}/{s}_3T_{name}.nii.gz"
    tasks = {f"tfMRI_{task}_{pe}": task for task in TASKS for pe in ("LR", "RL")}
    for scan in (*RESTS, *tasks):
        for name in ("BIAS_32CH", "BIAS_BC", "SpinEchoFieldMap_LR", "SpinEchoFieldMap_RL", scan, f"{scan}_SBRef"):
            yield f"unprocessed/3T/{scan}/{s}_3T_{name}.nii.gz"
        yield f"unprocessed/3T/{scan}/LINKED_DATA/PHYSIO/{s}_3T_{scan}_Physio_log.txt"
        if task := tasks.get(scan):
            for name in (task, "REC") if task == "WM" else (task,):
                yield f"unprocessed/3T/{scan}/LINKED_DATA/EPRIME/{s}_3T_{name}_run2_TAB.txt"
            yield from (f"unprocessed/3T/{scan}/LINKED_DATA/EPRIME/EVs/{name}" for name in TASKS[task].split())
    yield from (f"unprocessed/3T/Diffusion/{s}_3T_BIAS_{coil}.nii.gz" for coil in ("32CH", "BC"))
    for scan in (f"dir{n}_{pe}" for n in (95, 96, 97) for pe in ("LR", "RL")):
        yield from (
            f"unprocessed/3T/Diffusion/{s}_3T_DWI_{scan}{end}" for end in (".nii.gz", ".bval", ".bvec", "_SBRef.nii.gz")
        )
        yield f"unprocessed/3T/Diffusion/LINKED_DATA/PHYSIO/{s}_3T_DWI_{scan}_Physio_log.txt"


def high_field(s: str) -> Iterator[str]:
    for scan in RUNS_7T.split():
        for name in (f"{s}_7T_SpinEchoFieldMap_AP.nii.gz", f"{s}_7T_{scan}_SBRef.nii.gz", "filescans.csv"):
            yield f"unprocessed/7T/{scan}/{name}"
        yield f"unprocessed/7T/{scan}/LINKED_DATA/EYETRACKER/{s}_7T_{scan}_eyetrack.asc"
        long = scan[:-3] + "_7T" + scan[-3:]
        yield from run(long)
        yield from cleaned(s, long)
        folder = f"MNINonLinear/Results/{long}"
        for kind in ("", "_MSMAll"):
            yield f"{folder}/{long}_Atlas_1.6mm{kind}.dtseries.nii"
            yield f"{folder}/{long}_Atlas_1.6mm{kind}_hp2000_clean.dtseries.nii"
        yield from (f"{folder}/{long}_{name}.nii.gz" for name in ("dropouts", "sebased_bias", "sebased_reference"))
    yield f"unprocessed/7T/{s}_7T.csv"
    yield f"unprocessed/7T/Diffusion/{s}_7T_DWI_dir71_AP.nii.gz"
    yield from (
        f"T1w/Diffusion_7T/{name}" for name in ("bvals", "data.nii.gz", "eddylogs/eddy_unwarped_images.eddy_rms")
    )
    for area in ("MNINonLinear", "T1w"):
        yield f"{area}/fsaverage_LR59k/{s}.L.white.59k_fs_LR.surf.gii"
        yield f"{area}/fsaverage_LR59k/{s}.L.white_1.6mm_MSMAll.59k_fs_LR.surf.gii"
    yield "MNINonLinear/ROIs/Atlas_ROIs.1.60.nii.gz"


def meg(s: str) -> Iterator[str]:
    yield "unprocessed/MEG/3-Restin/4D/config"
    yield f"MEG/Restin/icaclass/{s}_MEG_3-Restin_icaclass [a,b].txt"
    yield f"MEG/anatomy/{s}_MEG_anatomy_fiducials.txt"


def package_names() -> Iterator[str]:
    """Names of the packages that leave a manifest in a subject: 53 of them."""
    yield from (
        "Structural_unproc",
        "Structural_preproc",
        "Structural_preproc_extended",
        "Diffusion_unproc",
        "rfMRI_REST_fix",
    )
    yield from (f"rfMRI_REST{n}_{kind}" for n in "12" for kind in ("unproc", "preproc", "fixextended"))
    kinds = ("unproc", "preproc", *(f"analysis_s{mm}" for mm in SMOOTHINGS))
    yield from (f"tfMRI_{task}_{kind}" for task in TASKS for kind in kinds)


def papers(s: str) -> Iterator[str]:
    for name in package_names():
        yield f".xdlm/{s}_3T_{name}.json"
        yield f"release-notes/{name}.txt"
    yield from ("release-notes/ReleaseNotes.txt", "release-notes/bedpostx.txt")


@pytest.fixture(scope="session")
def at_3t() -> tuple[str, ...]:
    """Paths inside a subject who has everything of the 3T experiment."""
    s = SUBJECT
    parts = [papers(s), structural(s), diffusion(s), unprocessed(s)]
    for scan in RESTS:
        parts += [run(scan), cleaned(s, scan)]
    for task in TASKS:
        parts += [task_run(task, f"tfMRI_{task}_{pe}") for pe in ("LR", "RL")]
        parts.append(analysis(s, task))
    return tuple(path for part in parts for path in part)


@pytest.fixture(scope="session")
def everything(at_3t: tuple[str, ...]) -> tuple[str, ...]:
    """Paths inside a subject who also has 7T and MEG."""
    return (*at_3t, *high_field(SUBJECT), *meg(SUBJECT))
