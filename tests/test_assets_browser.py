"""What a page costs on the wire, cold and again, as a real browser counts it; and whose letters it is drawn with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import CHROMIUM, Place, chromium, place
from makers_web import a_day
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="apt-get install chromium")]

FIRST_BYTES, AGAIN_BYTES = 150_000, 15_000
PLACES = ("/", "/ke-hoach", "/cum-loa")
LETTERS = "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    with chromium() as started, place(started) as made:
        a_day(made.town, made.server.app)
        yield made


class Counted:
    """Every byte that came over the wire, heads too, as the browser's own network log has it."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0
        log = page.context.new_cdp_session(page)
        log.send("Network.enable")
        log.send("Network.setBypassServiceWorker", {"bypass": True})  # or what came through it counts as nothing
        log.on("Network.loadingFinished", self._finished)

    def _finished(self, told: dict[str, float]) -> None:
        self.bytes += int(told["encodedDataLength"])

    def of(self, page: Page, address: str) -> int:
        """What one visit costs; what is open for ever (the stream) is not waited for."""
        self.bytes = 0
        page.goto(address)
        page.evaluate("document.fonts.ready.then(() => true)")
        before = -1
        for _ in range(40):  # until nothing more comes
            if self.bytes == before > 0:
                break
            before = self.bytes
            page.wait_for_timeout(400)
        return self.bytes


@pytest.mark.parametrize("path", PLACES)
def test_a_page_is_light_the_first_time_and_lighter_again(here: Place, path: str) -> None:
    page = here.visitor("van-hoa")
    count = Counted(page)
    first, again = count.of(page, here.address + path), count.of(page, here.address + path)
    assert 20_000 < first <= FIRST_BYTES  # the letters alone are more than the least
    assert 0 < again <= AGAIN_BYTES
    assert here.troubles == []


def test_every_vietnamese_letter_is_drawn_with_the_letters_that_are_shipped(here: Place) -> None:
    page = here.visitor()
    page.goto(f"{here.address}/dang-nhap")
    for weight, text in ((400, LETTERS + LETTERS.upper() + "₫0123456789–…“”"), (600, LETTERS + LETTERS.upper())):
        page.evaluate(
            """async ([weight, text]) => {
              const line = document.createElement("p");
              line.id = `w${weight}`; line.style.fontWeight = weight; line.textContent = text;
              document.querySelector("main").append(line);
              await document.fonts.ready;
            }""",
            [weight, text],
        )
        devices = page.context.new_cdp_session(page)
        for each in ("DOM.enable", "CSS.enable"):
            devices.send(each)
        root = devices.send("DOM.getDocument")["root"]["nodeId"]
        node = devices.send("DOM.querySelector", {"nodeId": root, "selector": f"#w{weight}"})["nodeId"]
        fonts = devices.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert {(each["familyName"].partition(" SemiBold")[0], each["isCustomFont"]) for each in fonts} == {
            ("Be Vietnam Pro", True)
        }
