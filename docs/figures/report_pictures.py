"""Takes the screenshots of a report for docs/how-to/report.md; `ccsr-bench report` builds the report.

python docs/figures/report_pictures.py report/index.html CHROMIUM
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parent
DESKTOP = (1280, 1320)
"""Width and height of the window in CSS pixels."""
PHONE = (390, 844)
"""Width and height of a phone's screen in CSS pixels."""
IMAGE = "#sample/2"
"""Address of an image's page, within the report."""


def take_screenshot(browser: Browser, address: str, size: tuple[int, int], *, dark: bool = False) -> Image.Image:
    """Return a screenshot of a page."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=2 if size == PHONE else 1,
    )
    page.goto(address)
    page.wait_for_timeout(1500)  # until pictures are decoded and plots are drawn
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main(report: Path, chromium: str) -> None:
    """Write the three screenshots."""
    address = report.resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take_screenshot(browser, address, DESKTOP).save(FOLDER / "report-front.webp", quality=80)
        take_screenshot(browser, address + IMAGE, (DESKTOP[0], 2000), dark=True).save(
            FOLDER / "report-image.webp", quality=78
        )
        phones = [take_screenshot(browser, address, PHONE), take_screenshot(browser, address + IMAGE, PHONE, dark=True)]
        browser.close()
    width, height = phones[0].size
    both = Image.new("RGB", (2 * width + 24, height), "white")
    both.paste(phones[0], (0, 0))
    both.paste(phones[1], (width + 24, 0))
    both.save(FOLDER / "report-phone.webp", quality=78)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
