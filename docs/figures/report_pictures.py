"""Photographs a report, which `ccsr-bench report` built, for docs/how-to/report.md.

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
PHONE = (390, 844)
IMAGE = "#sample/2"
"""Address of an image's page."""


def photograph(browser: Browser, address: str, size: tuple[int, int], *, dark: bool = False) -> Image.Image:
    """Return a picture of a page."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=2 if size == PHONE else 1,
    )
    page.goto(address)
    page.wait_for_timeout(1500)  # pictures fade in
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main(report: Path, chromium: str) -> None:
    """Write the three pictures."""
    address = report.resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        photograph(browser, address, DESKTOP).save(FOLDER / "report-front.webp", quality=80)
        photograph(browser, address + IMAGE, (DESKTOP[0], 2000), dark=True).save(
            FOLDER / "report-image.webp", quality=78
        )
        phones = [photograph(browser, address, PHONE), photograph(browser, address + IMAGE, PHONE, dark=True)]
        browser.close()
    width, height = phones[0].size
    both = Image.new("RGB", (2 * width + 24, height), "white")
    both.paste(phones[0], (0, 0))
    both.paste(phones[1], (width + 24, 0))
    both.save(FOLDER / "report-phone.webp", quality=78)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
