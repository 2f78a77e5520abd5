"""The tutorial: search by behaviour, mirror from S3, open the images.

Run it against the demo, which sets the environment variables below:

    cdb demo                          runs this very file
    cdb demo --serve --json           keeps the demo up and prints what to set

or against a server and bucket of your own:

    XNAT_HOST  XNAT_USER  XNAT_PASS                                   the ConnectomeDB
    AWS_ENDPOINT_URL  AWS_ACCESS_KEY_ID  AWS_SECRET_ACCESS_KEY        the object store
    CONNECTOMEDB_BUCKET                                               hcp.aws.amazon.com unless set

The one argument is the folder for the mirror and the pictures. Demo values are synthetic: no person has them.
"""

import os
import sys
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import connectomedb as cdb

MOTOR = "MNINonLinear/Results/tfMRI_MOTOR_LR"


def main(folder: Path) -> None:
    access_key, secret_key = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    name = os.environ.get("CONNECTOMEDB_BUCKET", "hcp.aws.amazon.com")

    step("The bucket, one level at a time")
    bucket = cdb.S3Bucket.open(name, access_key, secret_key)
    subjects = [key.name for key in bucket.list("q1/", "/")]
    show("bucket.list('q1/', '/')", subjects)
    show("bucket.list('q1/100307/', '/')", [key.name for key in bucket.list("q1/100307/", "/")])

    step("Everything below a prefix, saved by hand")
    saved = []
    for key in bucket.list(f"q1/100307/{MOTOR}/"):
        saved.append(key.get_contents_to_filename(folder / "by-hand" / key.name))
    show(
        f"for key in bucket.list('q1/100307/{MOTOR}/'): key.get_contents_to_filename(...)",
        [str(path) for path in saved],
    )

    step("Subjects by behaviour")
    mirror = cdb.S3Mirror.open(name, access_key, secret_key, folder / "mirror")
    db = cdb.Interface(os.environ["XNAT_HOST"], os.environ["XNAT_USER"], os.environ["XNAT_PASS"], data_mirror=mirror)
    table = db.select("hcp:nontoolboxdata", ["hcp:nontoolboxdata/SUBJECT_ID", "hcp:nontoolboxdata/MMSE_Score"]).where(
        [("hcp:nontoolboxdata/MMSE_Score", ">=", "29"), "AND"]
    )
    labels = table["subject_label"]
    print(table)
    show("MMSE_Score >= 29", labels)

    step("Exactly the files of one run, on disk and proven")
    subject = db.project("HCP_Q1").subject("100307")
    run = subject.files(MOTOR)
    show(f"subject.files('{MOTOR}')", [str(path) for path in run])

    step("The whole subject")
    files = subject.files()
    size = sum(path.stat().st_size for path in files)
    print(f"subject.files()\n    {len(files)} files, {size / 1e6:.1f} MB, all proven; asking again makes no request")
    db.close()

    step("The images")
    tree = folder / "mirror" / "q1" / "100307"
    for image, picture in (
        (tree / "T1w" / "T1w_acpc_dc_restore_brain.nii.gz", folder / "T1w_acpc_dc_restore_brain.png"),
        (tree / MOTOR / "tfMRI_MOTOR_LR.nii.gz", folder / "tfMRI_MOTOR_LR.png"),
    ):
        print(draw_slices(image, picture))


def draw_slices(image: Path, picture: Path) -> str:
    """Write a PNG with the middle sagittal, coronal and axial slice; of a series, the mean over time."""
    volume = nibabel.load(image)
    data = np.asarray(volume.dataobj, dtype=np.float32)
    still = data.mean(axis=3) if data.ndim == 4 else data
    grey = np.clip(still / np.percentile(still[still > 0], 99.5), 0, 1) * 255
    middle = [length // 2 for length in grey.shape]
    slices = [grey[middle[0], :, :], grey[:, middle[1], :], grey[:, :, middle[2]]]
    paste(slices).resize((900, 300), Image.Resampling.BICUBIC).save(picture)
    zooms = " x ".join(f"{zoom:g}" for zoom in volume.header.get_zooms()[:3])
    return f"{image.name}\n    {data.shape} voxels of {zooms} mm -> {picture}"


def paste(slices: list[NDArray[np.float32]]) -> Image.Image:
    """Slices side by side on black squares, the last axis up."""
    side = max(max(one.shape) for one in slices)
    sheet = Image.new("L", (3 * side, side))
    for column, one in enumerate(slices):
        tile = Image.fromarray(np.flipud(one.T).astype(np.uint8))
        sheet.paste(tile, (column * side + (side - tile.width) // 2, (side - tile.height) // 2))
    return sheet


def step(title: str) -> None:
    print(f"\n== {title}")


def show(call: str, values: list[str], most: int = 8) -> None:
    """A call and what it gave, the first few of many."""
    print(call)
    for value in values[:most]:
        print(f"    {value}")
    if len(values) > most:
        print(f"    ... {len(values)} in all")


if __name__ == "__main__":
    needed = ("XNAT_HOST", "XNAT_USER", "XNAT_PASS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if missing := [name for name in needed if name not in os.environ]:
        sys.exit(f"Not set: {', '.join(missing)}. Run `cdb demo`, which sets them, or see this file's first lines.")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "tutorial-output"))
