"""The images open in nibabel, say where and when they are, and agree with one another."""

from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine, voxel_sizes
from numpy.typing import NDArray

from connectomedb.demo.brain.bold import STEP_S
from connectomedb.demo.release import DemoRelease

# MNI coordinates (mm) of the hand areas; each answers to the hand of the other side.
HAND_AREAS = {"rh": (-40, -22, 56), "lh": (40, -22, 56)}


def files(release: DemoRelease, ending: str) -> list[Path]:
    found = [release.folder / key for key in release.file_keys() if key.endswith(ending)]
    assert found
    return found


def subject(release: DemoRelease, label: str) -> Path:
    return release.tree / "q1" / label


def motor(release: DemoRelease, label: str = "100307") -> Path:
    return subject(release, label) / "MNINonLinear" / "Results" / "tfMRI_MOTOR_LR"


def voxels(path: Path) -> NDArray[np.float64]:
    return np.asarray(nib.load(path).dataobj, float)


def columns(path: Path) -> NDArray[np.float64]:
    return np.atleast_2d(np.loadtxt(path))


def blocks(release: DemoRelease) -> dict[str, NDArray[np.float64]]:
    return {path.stem: columns(path) for path in (motor(release) / "EVs").iterdir()}


def answer(onset_s: float, duration_s: float, frames: int) -> NDArray[np.float64]:
    """What a block should look like in blood: a gamma function that peaks 5 s after it."""
    time = np.arange(0, frames * STEP_S, 0.1)
    block = ((time >= onset_s) & (time < onset_s + duration_s)).astype(float)
    blood = np.convolve(block, time**5 * np.exp(-time))[: len(time)]
    return np.asarray(np.interp(np.arange(frames) * STEP_S, time, blood))


def test_volumes_open_and_are_in_millimetres(release: DemoRelease) -> None:
    for path in files(release, ".nii.gz"):
        image = nib.load(path)
        values = np.asarray(image.dataobj)
        assert isinstance(image, nib.Nifti1Image), path
        assert np.isfinite(values).all() and values.any(), path
        assert image.header.get_xyzt_units()[0] == "mm"
        assert np.allclose(voxel_sizes(image.affine), image.header.get_zooms()[:3])
        assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
        assert int(image.header["sform_code"]) == int(image.header["qform_code"]) > 0
        assert np.allclose(image.get_qform(), image.get_sform())
        assert b"SYNTHETIC" in image.header["descrip"].item()


def test_functional_runs_say_their_step_in_seconds(release: DemoRelease) -> None:
    runs = [path for path in files(release, "_LR.nii.gz") if "fMRI_" in path.name and "DWI" not in path.name]
    for path in runs:
        header = nib.load(path).header
        assert len(header.get_data_shape()) == 4
        assert header.get_zooms()[3] == np.float32(STEP_S) == np.float32(0.72)
        assert header.get_xyzt_units() == ("mm", "sec")


def test_standard_space_says_so(release: DemoRelease) -> None:
    for path in files(release, ".nii.gz"):
        code = int(nib.load(path).header["sform_code"])
        if "xfms" not in path.parts and "MNINonLinear" in path.parts:
            assert code == 4, path
        if "unprocessed" in path.parts:
            assert code == 1, path


def test_structural_images_of_one_space_share_a_grid(release: DemoRelease) -> None:
    for label in release.subjects:
        folder = subject(release, label) / "T1w"
        shapes = {nib.load(path).shape for path in folder.glob("*.nii.gz") if "1.25" not in path.name}
        assert len(shapes) == 1


def test_the_showcase_brain_is_finely_made(release: DemoRelease) -> None:
    image = nib.load(subject(release, "100307") / "T1w" / "T1w_acpc_dc_restore_brain.nii.gz")
    assert image.shape == (91, 109, 91)
    assert image.header.get_zooms() == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("label", ["100307", "103515"])
def test_a_brain_has_the_size_and_the_contrast_of_a_brain(release: DemoRelease, label: str) -> None:
    folder = subject(release, label) / "T1w"
    image = nib.load(folder / "T1w_acpc_dc_restore_brain.nii.gz")
    t1, t2 = voxels(folder / "T1w_acpc_dc_restore_brain.nii.gz"), voxels(folder / "T2w_acpc_dc_restore_brain.nii.gz")
    litres = (t1 > 0).sum() * np.prod(image.header.get_zooms()) / 1e6
    assert 1.2 < litres < 2.6
    ribbon = voxels(folder / "ribbon.nii.gz")
    white, grey = np.isin(ribbon, (2, 41)), np.isin(ribbon, (3, 42))
    assert t1[white].mean() > t1[grey].mean() > 0
    assert t2[white].mean() < t2[grey].mean()
    left, right = np.isin(ribbon, (2, 3)), np.isin(ribbon, (41, 42))
    assert 0.9 < left.sum() / right.sum() < 1.1
    middle = t1.shape[0] / 2
    assert np.argwhere(left)[:, 0].mean() > middle > np.argwhere(right)[:, 0].mean()


@pytest.mark.parametrize("label", ["100307", "103515"])
def test_labels_of_cortex_are_numbered_by_side(release: DemoRelease, label: str) -> None:
    folder = subject(release, label) / "T1w"
    parcels, ribbon = voxels(folder / "aparc+aseg.nii.gz"), voxels(folder / "ribbon.nii.gz")
    is_left, is_right = (parcels > 1000) & (parcels < 2000), parcels > 2000
    assert len(np.unique(parcels[is_left])) > 25
    assert set(np.unique(ribbon[is_left])) == {3.0}
    assert set(np.unique(ribbon[is_right])) == {42.0}


def test_subjects_differ_in_shape(release: DemoRelease) -> None:
    brains = [voxels(subject(release, label) / "T1w" / "brainmask_fs.nii.gz") for label in ("103515", "131621")]
    assert 0.7 < (brains[0] * brains[1]).sum() / brains[0].sum() < 0.99


def test_surfaces_are_closed_and_face_outwards(release: DemoRelease) -> None:
    for path in files(release, ".surf.gii"):
        points, triangles = nib.load(path).agg_data()
        assert len(triangles) == 2 * len(points) - 4, path
        assert set(np.unique(triangles)) == set(range(len(points)))
        corners = points[triangles].astype(float)
        volume = np.einsum("ni,ni->n", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
        assert volume > 10_000, path


def test_a_left_surface_names_and_lies_on_the_left(release: DemoRelease) -> None:
    for path in files(release, ".surf.gii"):
        image = nib.load(path)
        side = path.name.split(".")[1]
        assert image.meta["AnatomicalStructurePrimary"] == {"L": "CortexLeft", "R": "CortexRight"}[side]
        centre = image.agg_data("pointset")[:, 0].mean()
        assert (centre < 0) == (side == "L"), path


@pytest.mark.parametrize(
    ("surface", "volume"),
    [
        ("T1w/Native/100307.{side}.midthickness.native.surf.gii", "T1w/ribbon.nii.gz"),
        ("MNINonLinear/fsaverage_LR32k/100307.{side}.midthickness.32k_fs_LR.surf.gii", "MNINonLinear/ribbon.nii.gz"),
    ],
)
def test_surfaces_lie_in_the_ribbon_of_their_space(release: DemoRelease, surface: str, volume: str) -> None:
    root = subject(release, "100307")
    image = nib.load(root / volume)
    for side, inside in (("L", (2, 3)), ("R", (41, 42))):
        points = nib.load(root / surface.format(side=side)).agg_data("pointset")
        index = np.rint(apply_affine(np.linalg.inv(image.affine), points)).astype(int)
        found = np.asarray(image.dataobj)[tuple(index.T)]
        assert np.isin(found, inside).mean() > 0.9


def test_the_showcase_cortex_has_fsaverage5s_vertices(release: DemoRelease) -> None:
    folder = subject(release, "100307") / "MNINonLinear" / "fsaverage_LR32k"
    surfaces = list(folder.glob("*.surf.gii"))
    assert {path.name.split(".")[2] for path in surfaces} == {"pial", "midthickness", "inflated", "very_inflated"}
    assert {len(nib.load(path).agg_data("pointset")) for path in surfaces} == {10_242}


def test_maps_and_labels_fit_their_mesh(release: DemoRelease) -> None:
    for label in release.subjects:
        folder = subject(release, label) / "MNINonLinear" / "fsaverage_LR32k"
        for side in ("L", "R"):
            count = len(nib.load(folder / f"{label}.{side}.midthickness.32k_fs_LR.surf.gii").agg_data("pointset"))
            assert nib.load(folder / f"{label}.{side}.thickness.32k_fs_LR.shape.gii").agg_data().shape == (count,)
            regions = nib.load(folder / f"{label}.{side}.aparc.32k_fs_LR.label.gii")
            assert set(regions.agg_data()) <= regions.labeltable.get_labels_as_dict().keys()
            assert regions.labeltable.get_labels_as_dict()[24] == f"{side}_precentral"


@pytest.mark.parametrize(
    ("ending", "axis"),
    [
        (".dtseries.nii", nib.cifti2.SeriesAxis),
        (".dscalar.nii", nib.cifti2.ScalarAxis),
        (".dlabel.nii", nib.cifti2.LabelAxis),
    ],
)
def test_grayordinates_open_with_their_axes(release: DemoRelease, ending: str, axis: type) -> None:
    for path in files(release, ending):
        image = nib.load(path)
        assert isinstance(image, nib.Cifti2Image)
        rows, places = (image.header.get_axis(number) for number in (0, 1))
        assert image.shape == (len(rows), len(places))
        assert isinstance(rows, axis)
        assert np.isfinite(image.get_fdata()).all()
        names = [name for name, _, _ in places.iter_structures()]
        assert names[:2] == ["CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"]
        assert image.nifti_header.get_data_dtype() == np.float32


def test_grayordinate_headers_have_one_tag_per_line(release: DemoRelease) -> None:
    for path in (*files(release, ".dtseries.nii"), *files(release, ".dscalar.nii")):
        content = path.read_bytes()
        xml = content[content.index(b"<CIFTI") : content.index(b"</CIFTI>")]
        assert b"><" not in xml


def test_a_dense_series_lasts_as_long_as_its_volume(release: DemoRelease) -> None:
    for path in files(release, "_Atlas.dtseries.nii"):
        frames = nib.load(path).header.get_axis(0)
        volume = nib.load(path.with_name(path.name.replace("_Atlas.dtseries.nii", ".nii.gz")))
        assert (frames.unit, frames.step, frames.size) == ("SECOND", STEP_S, volume.shape[3])
        assert len(columns(path.with_name("Movement_Regressors.txt"))) == volume.shape[3]
        assert columns(path.with_name("Movement_Regressors.txt")).shape[1] == 12


def test_dense_series_hold_deep_structures_where_the_labels_have_them(release: DemoRelease) -> None:
    rois = nib.load(subject(release, "100307") / "MNINonLinear" / "ROIs" / "Atlas_ROIs.2.nii.gz")
    places = nib.load(motor(release) / "tfMRI_MOTOR_LR_Atlas.dtseries.nii").header.get_axis(1)
    deep = places[~places.surface_mask]
    assert len(deep) == (np.asarray(rois.dataobj) > 0).sum() > 500
    assert np.array_equal(places.affine, rois.affine)


def test_event_files_have_three_columns_and_fit_the_run(release: DemoRelease) -> None:
    for path in files(release, ".txt"):
        if path.parent.name == "EVs":
            rows = columns(path)
            assert rows.shape[1] == 3 and (rows[:, 2] == 1).all()
            assert (rows[:, 0] >= 0).all() and (rows[:, 1] > 0).all()
    run_s = nib.load(motor(release) / "tfMRI_MOTOR_LR.nii.gz").shape[3] * STEP_S
    assert all((rows[:, 0] + rows[:, 1] <= run_s + 1e-6).all() for rows in blocks(release).values())


def test_each_movement_follows_its_cue(release: DemoRelease) -> None:
    found = blocks(release)
    moves = sorted(float(rows[0, 0]) for name, rows in found.items() if name not in ("Sync", "cue"))
    cues = found["cue"]
    assert len(moves) == len(cues) == 5
    assert np.allclose(cues[:, 0] + cues[:, 1], moves, atol=0.002)
    assert all(before < after for before, after in pairwise(moves))


@pytest.mark.parametrize(("hand", "place"), HAND_AREAS.items())
def test_the_hand_area_answers_to_the_other_sides_hand(
    release: DemoRelease, hand: str, place: tuple[int, int, int]
) -> None:
    image = nib.load(motor(release) / "tfMRI_MOTOR_LR.nii.gz")
    series = image.get_fdata()
    onset, duration, _ = blocks(release)[hand][0]
    expected = answer(onset, duration, series.shape[3])
    i, j, k = np.rint(apply_affine(np.linalg.inv(image.affine), place)).astype(int)
    near = series[i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3].reshape(-1, series.shape[3])
    best = max(np.corrcoef(course, expected)[0, 1] for course in near if course.std() > 0)
    mirrored = series[::-1][i - 2 : i + 3, j - 2 : j + 3, k - 2 : k + 3].reshape(-1, series.shape[3])
    same_side = np.corrcoef(mirrored.mean(axis=0), expected)[0, 1]
    assert best > 0.8
    assert best > same_side + 0.2


def test_the_cortex_answers_where_the_volume_does(release: DemoRelease) -> None:
    onset, duration, _ = blocks(release)["rh"][0]
    image = nib.load(motor(release) / "tfMRI_MOTOR_LR_Atlas.dtseries.nii")
    series = image.get_fdata()
    expected = answer(onset, duration, len(series))
    places = image.header.get_axis(1)
    is_left = places.name == "CIFTI_STRUCTURE_CORTEX_LEFT"
    deviation = series - series.mean(axis=0)
    match = (deviation * (expected - expected.mean())[:, None]).sum(axis=0) / np.linalg.norm(deviation, axis=0)
    best = np.argsort(match)[-50:]
    assert is_left[best].all()
    folder = subject(release, "100307") / "MNINonLinear" / "fsaverage_LR32k"
    points = nib.load(folder / "100307.L.midthickness.32k_fs_LR.surf.gii").agg_data("pointset")
    assert np.linalg.norm(points[places.vertex[best]].mean(axis=0) - HAND_AREAS["rh"]) < 12


def analysis(release: DemoRelease, kind: str) -> Path:
    return (
        subject(release, "100307")
        / "MNINonLinear"
        / "Results"
        / "tfMRI_MOTOR"
        / f"tfMRI_MOTOR_hp200_s4_level2{kind}.feat"
    )


def test_statistics_are_high_where_the_volume_answers(release: DemoRelease) -> None:
    contrasts = (analysis(release, "") / "Contrasts.txt").read_text().split()
    assert contrasts == ["CUE", "LF", "LH", "RF", "RH", "T"]
    for event, place in HAND_AREAS.items():
        number = contrasts.index(event.upper()) + 1
        image = nib.load(analysis(release, "vol") / f"cope{number}.feat" / "stats" / "zstat1.nii.gz")
        assert isinstance(image, nib.Nifti1Image)
        assert image.header.get_intent()[0] == "z score" and b"SYNTHETIC" in image.header["descrip"].tobytes()
        values = np.asarray(image.dataobj)
        peak = apply_affine(image.affine, np.unravel_index(values.argmax(), values.shape))
        assert np.linalg.norm(peak - place) < 15
        dense = nib.load(analysis(release, "") / "GrayordinatesStats" / f"cope{number}.feat" / "zstat1.dtseries.nii")
        assert abs(dense.get_fdata().max() - values.max()) < 1.5, "surface and volume agree"


def test_parcels_open_with_their_axes(release: DemoRelease) -> None:
    folder = analysis(release, "") / "ParcellatedStats"
    axes = {
        ".pscalar.nii": "ScalarAxis",
        ".ptseries.nii": "SeriesAxis",
        ".plabel.nii": "LabelAxis",
        ".pconn.nii": "ParcelsAxis",
    }
    for ending, axis in axes.items():
        (path,) = folder.glob(f"*{ending}")
        image = nib.load(path)
        rows, parcels = (image.header.get_axis(number) for number in (0, 1))
        assert (type(rows).__name__, type(parcels).__name__) == (axis, "ParcelsAxis")
        assert image.shape == (len(rows), len(parcels))
        assert set(parcels.name) > {"L_precentral", "R_precentral"}
        assert image.get_fdata().any()


@pytest.mark.parametrize("folder", ["Diffusion", "unprocessed/3T/Diffusion"])
def test_gradient_tables_fit_the_series(release: DemoRelease, folder: str) -> None:
    for label in release.subjects:
        root = subject(release, label) / folder
        series = [
            path for path in root.glob("*.nii.gz") if len(nib.load(path).shape) == 4 and path.name != "grad_dev.nii.gz"
        ]
        assert series
        for path in series:
            stem = path.name.removesuffix(".nii.gz")
            weights, directions = (
                (root / "bvals", root / "bvecs") if stem == "data" else (root / f"{stem}.bval", root / f"{stem}.bvec")
            )
            volumes = nib.load(path).shape[3]
            assert columns(weights).shape == (1, volumes)
            assert columns(directions).shape == (3, volumes)
            assert np.allclose(np.linalg.norm(columns(directions), axis=0), 1, atol=1e-4)
            assert set(np.round(columns(weights)[0], -2)) == {0, 1000, 2000, 3000}


def test_weighting_makes_the_diffusion_signal_fall(release: DemoRelease) -> None:
    folder = subject(release, "100307") / "Diffusion"
    means = voxels(folder / "data.nii.gz")[voxels(folder / "nodif_brain_mask.nii.gz") > 0].mean(axis=0)
    weights = columns(folder / "bvals")[0]
    assert np.corrcoef(weights, np.log(means))[0, 1] < -0.9
    assert nib.load(folder / "grad_dev.nii.gz").shape[3] == 9


def test_spec_files_name_files_beside_them(release: DemoRelease) -> None:
    for path in files(release, ".wb.spec"):
        text = path.read_text()
        named = [line.split(">")[1].split("<")[0] for line in text.splitlines() if "<DataFile" in line]
        assert named
        assert all((path.parent / name).is_file() for name in named), path


def test_the_motor_set_up_names_the_events_that_are_there(release: DemoRelease) -> None:
    folder = motor(release)
    text = (folder / "tfMRI_MOTOR_LR_hp200_s4_level1.fsf").read_text()
    for line in text.splitlines():
        if "custom" in line:
            assert (folder / line.split('"')[1]).is_file()
    assert "set fmri(tr) 0.720" in text
    assert f"set fmri(npts) {nib.load(folder / 'tfMRI_MOTOR_LR.nii.gz').shape[3]}" in text


def test_the_physio_log_has_one_trigger_per_frame(release: DemoRelease) -> None:
    log = columns(motor(release) / "tfMRI_MOTOR_LR_Physio_log.txt")
    frames = nib.load(motor(release) / "tfMRI_MOTOR_LR.nii.gz").shape[3]
    assert log.shape[1] == 3
    assert log[:, 0].sum() == frames
    assert ((log[:, 1:] > 0) & (log[:, 1:] < 4096)).all()
