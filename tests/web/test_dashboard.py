"""The subject dashboard in a browser: filters in each way, charts, groups, what is taken along, tiers on the wire."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Download, Page, Response, Route, expect

from connectomedb.cli.main import main
from connectomedb.client.interface import Interface
from connectomedb.cohort.lockfile import parse_lockfile
from connectomedb.server.pages.selection import Selection
from connectomedb.server.pages.snippets import quoted, snippets

if TYPE_CHECKING:
    from tests.web.conftest import Browse, CheckAccess, Faults, People

PASSWORD = "correct horse battery"
SUBJECTS = "/projects/HCP_Q1/subjects"
EXPLORE = "/data/projects/HCP_Q1/explore"
LABELS = ["100307", "103515", "200614"]


@pytest.fixture(scope="module")
def reader(people: People) -> str:
    return people.reader()


@pytest.fixture(scope="module")
def values(people: People) -> dict[str, dict[str, Any]]:
    """What the subjects have, by label and column, of some columns of every tier."""
    names = ["MMSE_Score", "Gender", "Age", "PMAT24_A_CR", "Age_in_Yrs", "Family_ID", "Handedness"]
    with people.client() as admin:
        page = admin.get(EXPLORE, params={"columns": ",".join(names)}).json()
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in page["rows"]}


def shown(page: Page) -> list[str]:
    """Labels of the subjects in the table, in order."""
    return page.locator("#subjects tbody th").all_text_contents()


def where(page: Page) -> str:
    """The predicate in the address."""
    return parse_qs(urlsplit(page.url).query).get("where", [""])[0]


def at(predicate: str, **words: str) -> str:
    pairs = {"where": predicate, **words}
    return f"{SUBJECTS}?" + "&".join(f"{name}={quote(word)}" for name, word in pairs.items())


def test_form_and_line_are_one_filter(
    browse: Browse, reader: str, values: dict[str, dict[str, Any]], check_access: CheckAccess
) -> None:
    page = browse(reader)
    page.goto(SUBJECTS)
    expect(page.locator("#counter")).to_have_text("3 of 3 subjects")
    page.get_by_label("Category").select_option("Alertness")
    page.get_by_label("Attribute").select_option("MMSE_Score")
    page.get_by_label("Operator").select_option("is at least")
    page.get_by_label("Value").fill("29")
    page.get_by_role("button", name="Apply").click()
    line = page.get_by_label("Filter in one line")
    expect(line).to_have_value("MMSE_Score >= 29")
    assert where(page) == "MMSE_Score >= 29"
    bright = [label for label, row in values.items() if row["MMSE_Score"] >= 29]
    assert shown(page) == bright
    line.fill("MMSE_Score>=29 and (Gender = F or Gender = M)")
    expect(page.locator("#line-says")).to_have_text(f"{len(bright)} of 3 subjects")
    line.press("Enter")
    chips = page.locator(".chip code")
    expect(chips).to_have_text(["MMSE_Score >= 29", "Gender = 'F' or Gender = 'M'"])
    funnel = page.locator(".funnel tbody tr").first.locator("td").all_text_contents()
    assert funnel[:4] == ["3", str(len(bright)), str(3 - len(bright)), "0"]
    page.get_by_role("link", name="Change the filter MMSE_Score >= 29").click()
    expect(page.get_by_label("Value")).to_have_value("29")
    page.get_by_label("Value").fill("0")
    page.get_by_role("button", name="Apply").click()
    expect(line).to_have_value("MMSE_Score >= 0 and (Gender = 'F' or Gender = 'M')")
    page.get_by_role("link", name="Remove the filter Gender = 'F' or Gender = 'M'").click()
    expect(line).to_have_value("MMSE_Score >= 0")
    check_access(page)


def test_the_next_view_brings_no_lists_that_are_known(browse: Browse, reader: str, people: People) -> None:
    page = browse(reader)
    page.goto(f"{SUBJECTS}?columns=MMSE_Score")
    chart = page.get_by_role("region", name="MMSE_Score")
    expect(chart.locator("rect.passed").first).to_be_visible()
    chart.evaluate("chart => { chart.wasHere = true; }")
    line = page.get_by_label("Filter in one line")
    line.fill("MMSE_Score > 0")
    with page.expect_response(lambda reply: "where=MMSE_Score" in reply.url and SUBJECTS in reply.url) as waiting:
        line.press("Enter")
    assert waiting.value.header_value("preference-applied") == "return=minimal"
    assert "PSQI_Score" not in waiting.value.text()
    expect(page.locator(".chip")).to_have_count(1)
    expect(page.locator("#charts[data-drawn]")).to_be_visible()
    assert chart.evaluate("chart => chart.wasHere && !chart.inert"), "the same chart, with new numbers"
    page.get_by_text("Add new filter").click()
    page.get_by_label("Category").select_option("Alertness")
    page.get_by_label("Attribute").select_option("PSQI_Score")
    page.get_by_label("Add a column").focus()
    expect(page.locator("#offered option[value=PMAT24_A_CR]")).to_have_count(1)
    with people.client(reader) as mine:
        whole = mine.get(f"{SUBJECTS}?tab=Alertness", headers={"Accept": "text/html"})
    assert whole.headers["vary"] == "Prefer"
    assert '<option value="PSQI_Score"' in whole.text, "for who has no script"


def test_a_slip_is_told_while_typing_and_after(browse: Browse, reader: str, faults: Faults) -> None:
    faults.forgive("422")
    page = browse(reader)
    page.goto(SUBJECTS)
    line = page.get_by_label("Filter in one line")
    line.fill("MMSE_Scor > 1")
    expect(page.locator("#line-says")).to_contain_text("Did you mean MMSE_Score")
    line.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("at column 1, there is no column MMSE_Scor")
    expect(line).to_have_value("MMSE_Scor > 1")
    assert page.locator("#subjects").count() == 0


def test_all_is_there_without_script(
    browse: Browse, reader: str, values: dict[str, dict[str, Any]], faults: Faults
) -> None:
    faults.forgive("422")
    page = browse(reader, java_script_enabled=False)
    page.goto(SUBJECTS)
    page.get_by_label("Category").select_option("Alertness")
    page.get_by_role("button", name="Show its attributes").click()
    page.get_by_label("Attribute").select_option("MMSE_Score")
    page.get_by_label("Operator").select_option("is between")
    page.get_by_label("Value").fill("0")
    page.get_by_label("and at most").fill("30")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_label("Filter in one line")).to_have_value("MMSE_Score between 0 and 30")
    page.get_by_role("link", name="Cognition").click()
    expect(page.locator("#subjects thead")).to_contain_text("PicSeq_Unadj")
    page.get_by_label("Add a column").fill("PMAT24_A_RTCR")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#subjects thead")).to_contain_text("PMAT24_A_RTCR")
    page.get_by_role("link", name="Remove the column PicSeq_Unadj").click()
    expect(page.locator("#subjects thead")).not_to_contain_text("PicSeq_Unadj")
    page.get_by_role("link", name="PMAT24_A_CR", exact=True).click()
    page.get_by_role("link", name="PMAT24_A_CR", exact=True).click()
    head = page.get_by_role("columnheader", name="PMAT24_A_CR")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert shown(page) == sorted(LABELS, key=lambda label: (-values[label]["PMAT24_A_CR"], label))
    page.get_by_label("Add a column").fill("Nothing_Such")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("There is no column Nothing_Such")


def test_what_a_column_means_is_told_by_mouse_and_keyboard(browse: Browse, reader: str) -> None:
    page = browse(reader)
    page.goto(f"{SUBJECTS}?columns=MMSE_Score,Gender")
    head = page.get_by_role("columnheader", name="MMSE_Score")
    about = head.get_by_role("tooltip", include_hidden=True)
    expect(about).to_be_hidden()
    head.hover()
    expect(about).to_be_visible()
    page.mouse.move(0, 0)
    expect(about).to_be_hidden()
    head.get_by_role("link", name="MMSE_Score", exact=True).focus()
    expect(about).to_be_visible()
    expect(about).to_contain_text("Open.")


def test_charts_filter_by_mouse_keyboard_and_boxes(
    browse: Browse, reader: str, values: dict[str, dict[str, Any]], shoot: Callable[[Page, str], None]
) -> None:
    page = browse(reader)
    page.goto(f"{SUBJECTS}?columns=PMAT24_A_CR,Gender&where=MMSE_Score+>+0")
    chart = page.get_by_role("region", name="PMAT24_A_CR")
    scores = {label: row["PMAT24_A_CR"] for label, row in values.items()}
    picture = chart.locator("svg")
    expect(picture).to_be_visible()
    shoot(page, "dashboard-charts")
    meaning = chart.get_by_role("link", name="PMAT24_A_CR")
    expect(meaning).to_have_attribute("href", "/dictionary/hcp:nontoolboxdata#PMAT24_A_CR")
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(page.locator(".chip")).to_have_count(2)
    found = re.fullmatch(r"MMSE_Score > 0 and PMAT24_A_CR between (\d+) and (\d+)", where(page))
    assert found is not None, where(page)
    low, high = map(int, found.groups())
    assert low > min(scores.values()) and high == max(scores.values())
    assert shown(page) == [label for label, score in scores.items() if low <= score <= high]

    drawn = page.locator("#charts[data-drawn]")
    expect(drawn).to_be_visible()
    slider = chart.get_by_role("slider", name="To")
    slider.press("ArrowLeft")
    chart.get_by_role("button", name=re.compile("Keep")).press("Enter")
    expect(page).to_have_url(re.compile(rf"between\+{min(scores.values())}\+and"))
    lowered = re.search(r"between (\d+) and (\d+)", where(page))
    assert lowered is not None and int(lowered[2]) < high
    assert page.locator(".chip").count() == 2, "the brush takes the place of the one before"

    expect(drawn).to_be_visible()
    bars = page.get_by_role("region", name="Gender")
    bars.get_by_label(re.compile("^F")).check()
    bars.get_by_role("button", name="Keep these").click()
    expect(page.locator(".chip")).to_have_count(3)
    assert where(page).endswith("Gender in ('F')")


def test_a_group_is_the_same_in_python_and_at_the_command_line(
    browse: Browse, people: People, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    login = people.user()
    page = browse(login)
    page.goto(at("MMSE_Score > 0 and not Gender = 'M'"))
    women = shown(page)
    page.get_by_text("Save as group").click()
    page.get_by_label("Save these subjects as a group").fill("web-women")
    page.get_by_role("button", name="Save group").click()
    expect(page.get_by_role("status").first).to_contain_text("The group is kept")
    with Interface(people.stage.server, login, PASSWORD) as db:
        (kept,) = db.groups.list()
        assert (kept.name, kept.project) == ("web-women", "HCP_Q1")
        assert db.groups.get("web-women").subjects() == women
        db.groups.save("py-men", db.where("Gender = 'M'", project="HCP_Q1"))
    monkeypatch.setenv("XNAT_PASS", PASSWORD)
    with pytest.raises(SystemExit, match="0"):
        main(["cohort", "show", "web-women", "--server", people.stage.server, "--user", login])
    assert capsys.readouterr().out.split() == women
    page.goto(SUBJECTS)
    page.get_by_text("Save as group").click()
    page.get_by_role("link", name="py-men").click()
    expect(page.get_by_label("Filter in one line")).to_have_value("Gender = 'M'")
    assert shown(page) == [label for label in LABELS if label not in women]


def _taken(page: Page, press: Callable[[], None]) -> Path:
    with page.expect_download() as waiting:
        press()
    download: Download = waiting.value
    return Path(download.path())


def test_csv_and_snippets_give_the_same_subjects(
    browse: Browse, reader: str, people: People, clean_env: dict[str, str], tmp_path: Path
) -> None:
    page = browse(reader, permissions=["clipboard-read", "clipboard-write"])
    page.goto(
        at(
            "MMSE_Score > 0 and Gender in ('F') or QC_Issue like 'O''Neill' or Age = '26-30'",
            columns="Age,Gender",
            sort="Gender",
        )
    )
    expected = shown(page)
    assert expected
    with _taken(page, page.get_by_role("link", name="Download CSV").click).open(newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows[0] == ["Subject", "Age", "Gender"]
    assert [row[0] for row in rows[1:]] == expected
    page.get_by_text("Copy as Python").click()
    copied = {}
    for label in ("Python", "Shell", "curl", "Lockfile"):
        page.get_by_role("button", name=f"Copy {label}").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied[label] = page.evaluate("navigator.clipboard.readText()")
        expect(page.get_by_role("button", name="Copied")).to_have_count(0)
    tools = os.pathsep.join((str(Path(sys.executable).parent), clean_env["PATH"]))
    environment = {**clean_env, "XNAT_USER": reader, "XNAT_PASS": PASSWORD, "PATH": tools}
    secret = f"--user {shlex.quote(f'{reader}:{PASSWORD}')}"
    assert f"--user {reader} " in copied["curl"], "the password is asked for"
    programs = (
        [sys.executable, "-c", copied["Python"]],
        ["sh", "-c", copied["Shell"]],
        ["sh", "-c", copied["curl"].replace(f"--user {reader}", secret)],
    )
    for words in programs:
        done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        found = [line.partition(",")[0] for line in done.stdout.splitlines() if line[:1].isdigit()]
        assert sorted(found) == sorted(expected), words
    assert list(parse_lockfile(copied["Lockfile"]).subjects) == sorted(expected)


def _body(reply: Response) -> str:
    """What a response says; nothing of styles, scripts and pictures, or of a redirect."""
    is_text = re.match(r"text/(html|csv|plain)|application/(json|toml)", reply.headers.get("content-type", ""))
    return reply.text() if is_text and reply.ok else ""


def _listen(page: Page) -> list[str]:
    """All that comes over the wire from now on, but for styles and scripts."""
    heard: list[str] = []

    def pass_on(route: Route) -> None:
        reply = route.fetch()
        heard.append(reply.text())
        route.fulfill(response=reply)

    page.route(re.compile(r"^(?!.*/static/)"), pass_on)
    return heard


def test_restricted_values_never_reach_a_user_without_the_grant(
    browse: Browse, reader: str, people: People, values: dict[str, dict[str, Any]], faults: Faults
) -> None:
    for status in ("422", "404"):
        faults.forgive(status)
    families = {str(row["Family_ID"]) for row in values.values()}
    granted = browse(people.reader("restricted"))
    heard = _listen(granted)
    granted.goto(f"{SUBJECTS}?tier=restricted&columns=Family_ID,Handedness")
    expect(granted.locator("#charts")).to_have_attribute("data-drawn", "true")
    assert all(family in "".join(heard) for family in families), "the test would see them"

    page = browse(reader)
    heard = _listen(page)
    for rest in ("columns=Family_ID,Age_in_Yrs", "where=Family_ID+is+not+empty", "sort=Family_ID", "group=Family_ID"):
        page.goto(f"{SUBJECTS}?tier=sensitive&{rest}")
        expect(page.locator("body")).to_have_attribute("data-tier", "open")
    page.goto(f"{SUBJECTS}?tier=restricted")
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "true")
    page.get_by_label("Add a column").focus()
    page.wait_for_load_state("networkidle")
    for what in ("", "/distribution", "/columns", "/predicate", "/subjects", "/files", "/lockfile"):
        asked = f"{EXPLORE}{what}?tier=sensitive&columns=Family_ID&column=Family_ID&where=Family_ID+is+not+empty"
        page.evaluate("address => fetch(address).then(reply => reply.text())", asked)
    text = "\n".join(heard)
    assert len(heard) > 15 and "MMSE_Score" in text
    for family in families:
        assert family not in text
    offered = re.findall(r'"name":\s*"Family_ID"|<option value="Family_ID"|<th[^>]*Family_ID', text)
    assert offered == []


def test_a_whole_session_without_a_grant_brings_no_restricted_name_or_value(browse: Browse, people: People) -> None:
    with people.client() as admin:
        fields = admin.get("/data/dictionary/hcp:nontoolboxdata").json()
        closed = {name for name, field in fields.items() if field["Tier"] != "open"}
        page_of_all = admin.get(EXPLORE, params={"columns": "*"}).json()
    telling, plain = set[str](), set[str]()
    for place, column in enumerate(page_of_all["columns"]):
        values = {str(row[place]) for row in page_of_all["rows"] if row[place] is not None}
        (plain if column["tier"] == "open" else telling).update(values)
    telling = {value for value in telling - plain if len(value) > 4 and value not in ("FALSE", "TRUE")}
    assert len(closed) > 50 and len(telling) > 10

    def hear(login: str, tier: str) -> str:
        page, heard = browse(login), list[str]()
        page.on("response", lambda reply: heard.append(_body(reply)))
        page.goto(f"{SUBJECTS}?tier={tier}&tab=Subject+Information")
        for step in ("Alertness", "Cognition"):
            tab = page.get_by_role("link", name=step, exact=True)
            tab.click()
            expect(tab).to_have_attribute("aria-current", "page")
            expect(page.locator("#charts")).to_have_attribute("data-drawn", "true")
        page.get_by_label("Add a column").focus()
        page.get_by_text("Copy as Python").click()
        page.get_by_label("Filter in one line").fill("MMSE_Score > 0")
        expect(page.locator("#line-says")).to_have_text("3 of 3 subjects")
        page.wait_for_load_state("networkidle")
        csv_address = page.get_by_role("link", name="Download CSV").get_attribute("href")
        page.evaluate("address => fetch(address).then(reply => reply.text())", csv_address)
        for address in (
            "/projects/HCP_Q1",
            f"{SUBJECTS}/100307?tier={tier}",
            "/projects/HCP_Q1/queue",
            "/dictionary/hcp:nontoolboxdata?q=family",
            "/dictionary/hcp:nontoolboxdata",
            "/account",
        ):
            page.goto(address)
        page.wait_for_load_state("networkidle")
        return "\n".join(heard)

    def found(text: str) -> set[str]:
        words = set(re.findall(r"[A-Za-z0-9_.-]+", text))
        return words & (closed | telling)

    assert len(found(hear(people.reader("sensitive"), "sensitive"))) > 50, "the test would see them"
    assert found(hear(people.reader(), "sensitive")) == set()


def test_the_tier_is_chosen_by_those_who_hold_it_and_tints_the_page(
    browse: Browse, people: People, check_access: CheckAccess, shoot: Callable[[Page, str], None], faults: Faults
) -> None:
    faults.forgive("422")
    page = browse(people.reader("restricted"))
    page.goto(SUBJECTS)
    expect(page.locator("body")).to_have_attribute("data-tier", "open")
    plain = page.evaluate("getComputedStyle(document.body).backgroundColor")
    switch = page.get_by_role("navigation", name="Access tier")
    assert switch.get_by_role("link").all_text_contents() == ["Open", "Restricted"]
    switch.get_by_role("link", name="Restricted").click()
    expect(page.locator("body")).to_have_attribute("data-tier", "restricted")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != plain
    expect(page.locator("th[data-tier=restricted]").first).to_be_visible()
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "true")
    check_access(page)
    shoot(page, "dashboard-restricted")
    page.goto(f"{SUBJECTS}?tier=sensitive&columns=THC")
    expect(page.get_by_role("alert")).to_contain_text("There is no column THC")


def test_the_dashboard_has_a_picture(browse: Browse, reader: str, shoot: Callable[[Page, str], None]) -> None:
    page = browse(reader, viewport={"width": 1280, "height": 1300})
    page.goto(at("MMSE_Score >= 20 and Gender = 'F'", tab="Cognition"))
    expect(page.locator("#charts")).to_have_attribute("data-drawn", "true")
    assert shown(page) == ["100307"]
    shoot(page, "dashboard")


def test_snippets_of_a_guest_ask_as_nobody() -> None:
    made = {one.id: one for one in snippets(Selection("P", "Gender = 'F'"), ["Age"], "https://db.example.org", "")}
    assert "Interface('https://db.example.org', anonymous=True)" in made["python"].text
    compile(made["python"].text, "snippet", "exec")
    assert shlex.split(made["shell"].text)[-1] == "--anonymous"
    assert """ "Gender = 'F'" """ in made["shell"].text, "as people would quote it"
    assert "--user" not in made["curl"].text
    measured = Selection("P", data_type="lab:memorydata")
    of_lab = {one.id: one.text for one in snippets(measured, [], "https://db.example.org", "ann")}
    assert "data_type='lab:memorydata'" in of_lab["python"]
    words = shlex.split(of_lab["shell"])
    assert words[words.index("--type") + 1] == "lab:memorydata"
    assert "type=lab:memorydata" in shlex.split(of_lab["curl"])


@pytest.mark.parametrize("word", ["Gender = 'F'", "it's $HOME", "a 'b' != 'c'", "`'`", """'"'""", "'\\'", "plain", ""])
def test_words_of_a_command_are_quoted_for_a_shell(word: str) -> None:
    assert subprocess.run(["sh", "-c", f"printf %s {quoted(word)}"], capture_output=True, text=True).stdout == word
