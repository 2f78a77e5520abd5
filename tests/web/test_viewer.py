"""The viewer in a real browser: what is drawn differs from the background, and can be read as text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

if TYPE_CHECKING:
    from tests.web.conftest import Browse, People

FILES = "/data/projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files"
T1W = "T1w/T1w_acpc_dc_restore_brain.nii.gz"
MESH = "MNINonLinear/fsaverage_LR32k/100307"
SURFACE = f"{MESH}.L.midthickness.32k_fs_LR.surf.gii"
THICKNESS = f"{MESH}.L.thickness.32k_fs_LR.shape.gii"
SULC = f"{MESH}.sulc.32k_fs_LR.dscalar.nii"
REGIONS = f"{MESH}.aparc.32k_fs_LR.dlabel.nii"
RUN = "MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR"
SERIES = f"{RUN}_Atlas.dtseries.nii"
DRAWN = "#viewer[data-state=drawn]"

Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="session")
def reader(people: People) -> str:
    return people.user()


def view(file: str, over: str = "") -> str:
    return "/view?" + urlencode({"file": f"{FILES}/{file}"} | ({"over": f"{FILES}/{over}"} if over else {}))


def pixels(page: Page) -> NDArray[np.uint8]:
    """What stands on the canvas, (row, column, rgb)."""
    return np.asarray(Image.open(io.BytesIO(page.locator("#canvas").screenshot())).convert("RGB"))


def share_drawn(page: Page) -> float:
    """Share of the canvas that is not background."""
    return float((pixels(page).max(axis=2) > 24).mean())


def open_view(page: Page, file: str, over: str = "") -> Page:
    page.goto(view(file, over))
    page.wait_for_selector(DRAWN, state="attached")
    return page


@pytest.mark.parametrize(
    ("name", "file", "over"),
    [
        ("volume", T1W, "T1w/T1wDividedByT2w_ribbon.nii.gz"),
        ("surface", SURFACE, THICKNESS),
        ("cifti", SULC, ""),
        ("labels", REGIONS, ""),
        ("series", SERIES, ""),
    ],
)
def test_what_is_shown_differs_from_the_background(
    browse: Browse, reader: str, shoot: Shoot, name: str, file: str, over: str
) -> None:
    page = open_view(browse(reader), file, over)
    assert page.locator("#still").is_hidden()
    drawn = pixels(page)
    assert 0.05 < share_drawn(page) < 0.95
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 200
    shoot(page, f"viewer-{name}")
