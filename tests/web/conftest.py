"""The demo in a real browser: Debian's Chromium without windows, driven by Playwright, against the stage's server.

Every test has people of its own (`people`), and browses in contexts of its own (`browse`). A page that logs an error,
breaks its Content-Security-Policy or asks another host for anything fails its test. Screenshots lie in
`build/screenshots`, where CI keeps them.
"""

import hashlib
import shutil
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from connectomedb.demo.stage import Stage

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium-headless-shell"
PASSWORD = "correct horse battery"
PROJECT = "HCP_Q1"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

AXE = "axe-core@4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

_QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update")
_NUMBERS = count()


@dataclass
class Faults:
    """What went wrong in the browser. A test that provokes something forgives it by a part of its words."""

    found: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def forgive(self, words: str) -> None:
        """Expect faults with these words."""
        self.forgiven.append(words)

    def watch(self, context: BrowserContext, host: str) -> None:
        """Note errors of all pages of a context, and requests to other hosts."""

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.found.append(message.text)

        def on_request(request: Request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != host:
                self.found.append(f"asked another host: {request.url}")

        context.on("console", on_console)
        context.on("weberror", lambda error: self.found.append(str(error.error)))
        context.on("request", on_request)

    @property
    def unforgiven(self) -> list[str]:
        return [fault for fault in self.found if not any(words in fault for words in self.forgiven)]


@dataclass(frozen=True)
class People:
    """Users of the stage, made over REST. Each signs in once: checking a password is slow on purpose."""

    stage: Stage
    context: ssl.SSLContext
    sessions: dict[str, str] = field(default_factory=dict)
    readers: dict[str | None, str] = field(default_factory=dict)

    def client(self, login: str | None = None, password: str | None = None) -> httpx2.Client:
        """Signed in by a session as a user or as the administrator; with a password, by it, at each request."""
        if password is not None:
            assert login is not None
            return httpx2.Client(base_url=self.stage.server, auth=(login, password), verify=self.context)
        cookies = {"JSESSIONID": self.session(login or self.stage.user)}
        return httpx2.Client(base_url=self.stage.server, cookies=cookies, verify=self.context)

    def session(self, login: str) -> str:
        """The id of a user's session."""
        if login not in self.sessions:
            with self.client(login, self.stage.password if login == self.stage.user else PASSWORD) as client:
                self.sessions[login] = client.get("/data/JSESSION").text
        return self.sessions[login]

    def reader(self, tier: str | None = None) -> str:
        """A collaborator of the demo's project whom tests share: they change nothing of her."""
        if tier not in self.readers:
            self.readers[tier] = self.user(tier=tier)
        return self.readers[tier]

    def user(self, role: str | None = "Collaborators", tier: str | None = None, *, accepts: bool = True) -> str:
        """A new user: in a group of the demo's project, with a grant, having accepted its terms."""
        login = f"person{next(_NUMBERS)}"
        with self.client() as admin:
            profile = {"username": login, "password": PASSWORD, "firstName": "Pat", "lastName": "Doe"}
            admin.post("/xapi/users", json=profile).raise_for_status()
            if role:
                admin.put(f"/data/projects/{PROJECT}/users/{role}/{login}").raise_for_status()
            if tier:
                admin.put(f"/data/projects/{PROJECT}/grants/{login}/{tier}").raise_for_status()
        if role and accepts:
            with self.client(login) as mine:
                version = mine.get(f"/data/projects/{PROJECT}/terms").json()["version"]
                mine.put(f"/data/projects/{PROJECT}/terms/acceptance?version={version}").raise_for_status()
        return login


@pytest.fixture(scope="session")
def people(stage: Stage) -> People:
    return People(stage, ssl.create_default_context())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser per process; WebGL2 is drawn by SwiftShader."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *_QUIET])
        yield running
        running.close()


@pytest.fixture
def faults() -> Iterator[Faults]:
    """What went wrong in the browser; the test fails at its end for what it did not forgive."""
    found = Faults()
    yield found
    assert found.unforgiven == []


Browse = Callable[..., Page]
"""`browse(login=None, **options)`: a page in a context of its own, signed in; options are of Playwright's contexts."""


@pytest.fixture
def browse(browser: Browser, stage: Stage, people: People, faults: Faults) -> Iterator[Browse]:
    contexts: list[BrowserContext] = []

    def open_page(login: str | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"base_url": stage.server, "viewport": WIDE, **options})
        contexts.append(context)
        context.set_default_timeout(15_000)
        faults.watch(context, urlsplit(stage.server).netloc)
        if login:
            context.add_cookies([{"name": "JSESSIONID", "value": people.session(login), "url": stage.server}])
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def shoot() -> Callable[[Page, str], None]:
    """Keeps a picture of a page under a name."""

    def keep(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return keep


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, by npm; kept beside the installed packages."""
    kept = Path(sys.prefix) / f"{AXE}.min.js"
    if not kept.exists():
        folder = tmp_path_factory.mktemp("axe")
        subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True, timeout=100)
        with tarfile.open(next(folder.glob("*.tgz"))) as packed:
            source = packed.extractfile("package/axe.min.js")
            assert source is not None
            content = source.read()
        (folder / kept.name).write_bytes(content)
        shutil.move(folder / kept.name, kept)
    content = kept.read_bytes()
    assert hashlib.sha256(content).hexdigest() == AXE_SHA256
    return content.decode()


CheckAccess = Callable[[Page], None]


@pytest.fixture(scope="session")
def check_access(axe: str) -> CheckAccess:
    """Fails for what people with other senses or smaller screens cannot use: light and wide, then dark on a phone."""

    def check(page: Page) -> None:
        page.evaluate(axe)
        looks: tuple[tuple[Literal["light", "dark"], Any, list[str]], ...] = (
            ("light", WIDE, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]),
            ("dark", PHONE, ["color-contrast", "scrollable-region-focusable"]),
        )
        for scheme, size, rules in looks:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], f"{page.url} scrolls sideways: {width} px on {size['width']}"
            found = page.evaluate(
                "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], elementRef: false})", rules
            )
            serious = [
                (one["id"], [node["html"][:120] for node in one["nodes"][:3]])
                for one in found["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            assert serious == [], f"{page.url} in {scheme}"
        page.set_viewport_size(looks[0][1])
        page.emulate_media(color_scheme="light")

    return check
