"""The viewer in a real browser: what is drawn differs from the background, and can be read as text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

FILES = "/data/projects/HCP_Q1/subjects/100307/experiments/100307_CREST/resources/100307_CREST/files"
T1W, T1W_MNI = "T1w/T1w_acpc_dc_restore_brain.nii.gz", "MNINonLinear/T1w_restore_brain.nii.gz"
LEVEL2 = "MNINonLinear/Results/tfMRI_MOTOR/tfMRI_MOTOR_hp200_s4_level2"
MESH = "MNINonLinear/fsaverage_LR32k/100307"
SURFACE = f"{MESH}.L.midthickness.32k_fs_LR.surf.gii"
THICKNESS = f"{MESH}.L.thickness.32k_fs_LR.shape.gii"
SULC = f"{MESH}.sulc.32k_fs_LR.dscalar.nii"
REGIONS = f"{MESH}.aparc.32k_fs_LR.dlabel.nii"
RUN = "MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR"
SERIES = f"{RUN}_Atlas.dtseries.nii"
DRAWN = "#viewer[data-state=drawn]"
SMALL: Any = {"width": 900, "height": 700}
"""A window of fewer pixels, which the processor draws sooner."""
PATIENCE_MS = 60_000
"""On a busy machine without a graphics card the first picture of a browser takes long."""

Shoot = Callable[[Page, str], None]


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Expectations wait longer than Playwright's five seconds."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


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
    page.wait_for_selector(DRAWN, state="attached", timeout=PATIENCE_MS)
    return page


def check_drawn(page: Page) -> None:
    """The canvas is what is seen, and more than background stands on it."""
    assert page.locator("#still").is_hidden()
    assert 0.05 < share_drawn(page) < 0.95
    assert len(np.unique(pixels(page).reshape(-1, 3), axis=0)) > 200


def go_to(page: Page, place: str) -> None:
    field = page.get_by_label(re.compile("^Go to"))
    field.fill(place)
    field.press("Enter")


def test_a_volume_under_another_is_drawn_and_told_in_words(browse: Browse, reader: str, shoot: Shoot) -> None:
    page = open_view(browse(reader), T1W, "T1w/T1wDividedByT2w_ribbon.nii.gz")
    check_drawn(page)
    shoot(page, "viewer-volume")
    where = page.locator("#where")
    go_to(page, "45 60 50")
    expect(where).to_contain_text("voxel 45, 60, 50")
    page.locator("#canvas").focus()
    for key, voxel in (("ArrowUp", "45, 61, 50"), ("PageUp", "45, 61, 51"), ("ArrowLeft", "46, 61, 51")):
        page.keyboard.press(key)
        expect(where).to_contain_text(f"voxel {voxel}")
    expect(where).to_contain_text(re.compile(r"value \d+, \d+"))
    page.keyboard.press("v")
    expect(page.get_by_label("View")).to_have_value("axial")
    go_to(page, "999 0 0")
    expect(where).to_contain_text("no place")
    before = pixels(page)
    page.get_by_label("Colours").select_option("viridis")
    coloured = pixels(page)
    assert (coloured != before).any()
    low = page.get_by_label("From", exact=True)
    low.fill("140")
    low.blur()
    assert (pixels(page) != coloured).any()


def test_regions_over_a_volume_have_colours_and_their_keys_are_told(browse: Browse, reader: str, shoot: Shoot) -> None:
    page = open_view(browse(reader, viewport=SMALL), T1W, "T1w/aparc+aseg.nii.gz")
    shoot(page, "viewer-regions")
    coloured = pixels(page).astype(int)
    assert ((coloured.max(axis=2) - coloured.min(axis=2)) > 60).mean() > 0.03, "grey would have equal parts"
    go_to(page, "45 60 50")
    expect(page.locator("#where")).to_contain_text(re.compile(r"value \d+, region \d+"))


def test_statistics_over_a_volume_show_what_is_far_from_zero(browse: Browse, reader: str, shoot: Shoot) -> None:
    page = open_view(browse(reader, viewport=SMALL), T1W_MNI, f"{LEVEL2}vol.feat/cope3.feat/stats/zstat1.nii.gz")
    expect(page.get_by_label("Over it").locator("option:checked")).to_have_text("cope3.feat/stats/zstat1.nii.gz")
    expect(page.get_by_label("From", exact=True)).to_have_value("2.3")
    go_to(page, "20 42 51")
    expect(page.locator("#where")).to_contain_text(re.compile(r"value \d+, [5-9]"))
    shoot(page, "viewer-statistics")
    shown = pixels(page).astype(int)
    coloured = ((shown.max(axis=2) - shown.min(axis=2)) > 90).mean()
    assert 0.001 < coloured < 0.1, "a patch, and not the whole brain"


@pytest.mark.parametrize(
    ("name", "file", "over"),
    [
        ("surface", SURFACE, THICKNESS),
        ("cifti", SULC, ""),
        ("labels", REGIONS, ""),
        ("parcels", f"{LEVEL2}.feat/ParcellatedStats/tfMRI_MOTOR_LR_aparc.pconn.nii", ""),
    ],
)
def test_surfaces_are_drawn_with_what_lies_on_them(
    browse: Browse, reader: str, shoot: Shoot, name: str, file: str, over: str
) -> None:
    page = open_view(browse(reader, viewport=SMALL), file, over)
    check_drawn(page)
    shoot(page, f"viewer-{name}")


def test_a_series_of_a_grayordinate_comes_by_a_range_of_bytes(browse: Browse, reader: str, shoot: Shoot) -> None:
    page = open_view(browse(reader, viewport=SMALL), SERIES)
    check_drawn(page)
    with page.expect_response(lambda reply: SERIES in reply.url and reply.status == 206) as part:
        box = page.locator("#canvas").bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.45)
    assert part.value.headers["content-length"] == str(20 * 4)
    expect(page.locator("#where")).to_contain_text(re.compile(r"Vertex \d+ of cortex left · value"))
    expect(page.locator("#plot-words")).to_contain_text(re.compile(r"20 values over 14.4 s, from \d"))
    expect(page.locator("#plot-here canvas")).to_have_count(1)
    page.locator("#canvas").focus()
    page.keyboard.press(".")
    expect(page.get_by_label("Frame")).to_have_value("1")
    expect(page.locator("#viewer")).to_have_attribute("data-state", "drawn")
    shoot(page, "viewer-plot")


def test_a_series_of_a_packed_volume_is_cut_by_the_server(
    browse: Browse, reader: str, check_access: CheckAccess
) -> None:
    page = browse(reader, viewport=SMALL)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_view(page, f"{RUN}.nii.gz")
    go_to(page, "20,30,20")
    expect(page.locator("#plot-words")).to_contain_text("Voxel 20, 30, 20: 20 values over 14.4 s")
    parts = [url for url in asked if f"{RUN}.nii.gz?" in url]
    assert parts
    assert all(re.search("frame=|series=|preview=", url) for url in parts)
    check_access(page)


def test_without_webgl_or_script_there_is_a_still_picture(browse: Browse, reader: str, shoot: Shoot) -> None:
    page = browse(reader)
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        " return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };"
    )
    page.goto(view(T1W))
    expect(page.locator("#viewer")).to_have_attribute("data-state", "still")
    expect(page.locator("#why-still")).to_contain_text("no WebGL2")
    for still in (page, browse(reader, java_script_enabled=False)):
        still.goto(view(T1W))
        picture = still.get_by_role("img", name="Three slices")
        expect(picture).to_be_visible()
        drawn = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("L"))
        assert 0.05 < (drawn > 24).mean() < 0.95
        expect(still.get_by_text("91 x 109 x 91")).to_be_visible()
    shoot(page, "viewer-still")


def test_choosing_works_without_script_and_the_address_is_the_view(browse: Browse, reader: str) -> None:
    page = browse(reader, java_script_enabled=False)
    page.goto(view(SURFACE))
    page.get_by_label("Over it").select_option(label="100307.L.thickness.32k_fs_LR.shape.gii")
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith(urlencode({"over": f"{FILES}/{THICKNESS}"}))
    expect(page.get_by_label("Over it")).to_have_value(f"{FILES}/{THICKNESS}")


def test_what_cannot_be_shown_is_told_on_a_page(browse: Browse, reader: str, faults: Faults) -> None:
    faults.forgive("status of 40")
    page = browse(reader)
    for address, status in (
        (f"{FILES}/nothing.nii.gz", 404),
        (f"{FILES}/release-notes/Structural_preproc.txt", 400),
        ("/data/projects", 400),
        ("https://elsewhere.example.org/files/a.nii", 400),
        ("", 400),
    ):
        reply = page.goto("/view?" + urlencode({"file": address}))
        assert reply
        assert (reply.status, "text/html" in reply.headers["content-type"]) == (status, True)


def test_the_subjects_page_leads_to_the_viewer(
    browse: Browse, reader: str, check_access: CheckAccess, shoot: Shoot
) -> None:
    page = browse(reader)
    page.goto("/projects/HCP_Q1/subjects/100307")
    expect(page.get_by_role("heading", name="100307", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    sizes = page.locator(".pictures img").evaluate_all("all => all.map(one => one.naturalWidth)")
    assert len(sizes) == 12
    assert set(sizes[:4]) == {256}
    expect(page.get_by_text("cdb get HCP_Q1/100307/T1w --to brains")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Gender")).to_be_visible()
    assert page.get_by_text("Age_in_Yrs").count() == 0
    shoot(page, "subject")
    check_access(page)
    page.get_by_role("link", name="T1w_acpc_dc_restore_brain.nii.gz").click()
    page.wait_for_selector(DRAWN, state="attached", timeout=PATIENCE_MS)


def test_who_holds_a_grant_sees_restricted_measures_when_asked_for(
    browse: Browse, people: People, check_access: CheckAccess
) -> None:
    page = browse(people.user(tier="restricted"))
    page.goto("/projects/HCP_Q1/subjects/100307")
    expect(page.locator("body")).to_have_attribute("data-tier", "open")
    assert "Age_in_Yrs" not in page.content()
    page.get_by_role("link", name="restricted", exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-tier", "restricted")
    expect(page.get_by_role("rowheader", name="Age_in_Yrs")).to_be_visible()
    check_access(page)


def test_who_holds_none_never_receives_them(browse: Browse, reader: str) -> None:
    page = browse(reader)
    reply = page.goto("/projects/HCP_Q1/subjects/100307?tier=sensitive")
    assert reply
    assert "Age_in_Yrs" not in reply.text()
    assert page.get_by_role("group", name="Measures up to").count() == 0
