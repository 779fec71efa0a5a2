"""https in a real browser that has installed the station's authority, and in one that has not."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from browser import CHROMIUM, PHONE, overflow, violations
from makers_tls import SecureTown, served
from makers_web import PASSWORD
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from controller import web_certificates
from controller.safe import Safe
from controller.web.server import Server, serve

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium"),
    pytest.mark.skipif(shutil.which("certutil") is None, reason="apt-get install libnss3-tools"),
]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def here(tmp_path: Path) -> Iterator[tuple[SecureTown, Server]]:
    with served(tmp_path / "town") as made:
        yield made


@contextmanager
def browser(playwright: Playwright, home: Path, *trusted: Path) -> Iterator[Browser]:
    """Chromium of a person at home in ``home`` who installed these authorities; every name ending in .test is here."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    made = [["certutil", "-d", f"sql:{database}", "-N", "--empty-password"]]
    made += [
        ["certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n", str(each), "-i", str(each)] for each in trusted
    ]
    for command in made:
        subprocess.run(command, check=True, capture_output=True)
    started = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
    )
    try:
        yield started
    finally:
        started.close()


def test_who_installed_the_authority_signs_in_without_a_warning(
    playwright: Playwright, here: tuple[SecureTown, Server], tmp_path: Path
) -> None:
    town, server = here
    with browser(playwright, tmp_path / "home", town.authority) as chrome:
        context = chrome.new_context(viewport=PHONE)
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda line: troubles.append(line.text) if line.type in ("error", "warning") else None)
        page.goto(f"http://radio.test:{server.port}/dang-nhap")
        assert page.url == f"https://radio.test:{server.port}/dang-nhap"
        assert page.evaluate("isSecureContext && !!navigator.mediaDevices")
        page.fill("[name=name]", "van-hoa")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"https://radio.test:{server.port}/")
        cookies = context.cookies()
        names = {each["name"] for each in cookies}
        assert {"__Host-loa_phien", "__Host-loa_quen", "__Host-loa_bieu_mau"} == names
        assert {(each["secure"], each["httpOnly"], each["sameSite"], each["path"]) for each in cookies} == {
            (True, True, "Lax", "/")
        }
        assert page.evaluate("document.cookie") == ""
        # the browser keeps to https from now on, by itself: it never asks plainly again
        page.goto(f"http://radio.test:{server.port}/ke-hoach")
        assert page.url.startswith("https://")
        page.goto(f"https://127.0.0.1:{server.port}/dang-nhap")
        assert page.locator("h1").count() == 1
        # what it says of the answer that led it from http to https
        assert [each for each in troubles if "Cross-Origin-Opener-Policy header has been ignored" not in each] == []


def test_who_has_not_installed_it_is_warned_and_finds_the_way_on_a_plain_page(
    playwright: Playwright, here: tuple[SecureTown, Server], tmp_path: Path
) -> None:
    town, server = here
    with browser(playwright, tmp_path / "home") as chrome:
        context = chrome.new_context(viewport=PHONE)
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            context.new_page().goto(f"https://radio.test:{server.port}/")
        page = context.new_page()  # the other is still on its way to the browser's own page of errors
        page.goto(f"http://radio.test:{server.port}/chung-chi")
        assert page.url.startswith("http://")
        told = web_certificates.told(town.settings)
        assert told is not None
        assert page.locator(".fingerprint").inner_text() == told.fingerprint
        assert violations(page) == []
        assert overflow(page) == 0
        with page.expect_download() as fetched:
            page.click("text=loa.crt")
        assert fetched.value.suggested_filename == "loa.crt"
        assert fetched.value.path().read_bytes() == ssl.PEM_cert_to_DER_cert(town.authority.read_text())


def test_a_stolen_authority_cannot_speak_for_another_site(
    playwright: Playwright, here: tuple[SecureTown, Server], tmp_path: Path
) -> None:
    """Its key signs for evil.test; a browser that trusts it refuses all the same."""
    town, _ = here
    folder = tmp_path / "thief"
    own = web_certificates._read(Safe(town.settings.keys_dir), town.settings.keys_dir / web_certificates.CA_KEY)
    assert own is not None
    forged = web_certificates._issue(own, [web_certificates._general("evil.test")], town.now)
    paper = tmp_path / "forged.pem"
    paper.write_bytes(web_certificates._written(forged))
    other = SecureTown(folder)
    with ExitStack() as stack:
        server = serve(other.app(), "127.0.0.1", 0, papers=lambda: (paper, None))
        stack.callback(other.store.close)
        stack.callback(server.stop)
        with browser(playwright, tmp_path / "home", town.authority) as chrome:
            page = chrome.new_page()
            with pytest.raises(Error, match="ERR_CERT_"):
                page.goto(f"https://evil.test:{server.port}/")
