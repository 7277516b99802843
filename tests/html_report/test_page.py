"""The page, in a real browser: what a reader sees and does."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.ledger.results import Results
from ccsr_bench.plots.palette import COLOURS, colour_of, marker_of
from tests.support.cli import done
from tests.support.reports import HOSTILE, NAMES, RUNS, build, own_images, with_a_noise_floor_of_two_runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IMAGES = sorted(NAMES)
NOISY = "Bicubic + noise"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here to drive a browser with")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip(f"no browser here: none of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def report(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / 'with "odd" #name'
    build(results, folder)
    return folder


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The report's front page; whatever a test does, nothing may be requested from elsewhere and nothing may fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    opened.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    requested: list[str] = []
    opened.on("request", lambda request: requested.append(request.url))
    opened.goto((report / "index.html").as_uri())
    yield opened
    context.close()
    assert wrong == []
    for url in requested:
        assert url == "data:," or report in Path(unquote(urlsplit(url).path)).parents, url


def go(page: Page, image: str) -> None:
    page.evaluate(f"location.hash = '#own/{IMAGES.index(image)}'")
    wait_for_heading(page, image)


def wait_for_heading(page: Page, name: str) -> None:
    page.get_by_role("heading", level=1, name=name, exact=True).wait_for()


def psnr(results: Path, method: str = "bicubic-dither") -> dict[str, np.ndarray]:
    with Ledger(results / "out" / "own" / method) as ledger:
        return {name: np.array(list(runs.values())) for name, runs in ledger.scores("psnr").items()}


def shown_file(page: Page, image: Any) -> Path:
    """Return the file that an <img> shows, once it is loaded."""
    image.scroll_into_view_if_needed()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    return Path(unquote(urlsplit(image.evaluate("image => image.src")).path))


def gallery(page: Page) -> list[str]:
    return page.locator(".gallery .name").all_inner_texts()


def test_table_is_sorted_by_its_headers(page: Page) -> None:
    methods = page.locator("#overview tbody th")
    assert methods.all_inner_texts() == ["Bicubic", NOISY]
    header = page.get_by_role("columnheader", name="PSNR")
    header.get_by_role("button").click()
    assert (header.get_attribute("aria-sort"), methods.all_inner_texts()) == ("descending", ["Bicubic", NOISY])
    header.get_by_role("button").click()
    assert (header.get_attribute("aria-sort"), methods.all_inner_texts()) == ("ascending", [NOISY, "Bicubic"])
    page.get_by_role("columnheader", name="L-STD").get_by_role("button").click()
    assert methods.all_inner_texts() == [NOISY, "Bicubic"]  # who has none is last
    assert header.get_attribute("aria-sort") is None


def test_table_has_the_numbers_and_their_definitions(page: Page, results: Path) -> None:
    scores = np.stack(list(psnr(results).values()))
    row = page.get_by_role("row", name=NOISY)
    assert f"{scores.mean():.2f}/{scores.std(axis=1).mean():.4f}" in row.inner_text()
    page.get_by_text("Protocol, definitions and versions").click()
    notes = page.locator(".notes").inner_text()
    assert "PSNR in dB on Y of BT.601" in notes
    assert "Protocol paper (" in notes


def test_plots_show_methods_and_name_those_without_a_number(page: Page, results: Path) -> None:
    scores = np.stack(list(psnr(results).values()))
    first, stability, cost = page.locator(".plots figure").all()
    assert first.locator(".point").count() == 2
    assert cost.locator(".point").count() == 2
    with Ledger(results / "out" / "own" / "bicubic") as ledger:
        (machine,) = Results(ledger).machines()
    assert f"Recorded on {machine}." in cost.inner_text()
    assert stability.locator(".point").count() == 1
    assert "Bicubic (one run, no spread)" in stability.inner_text()
    stability.get_by_label("Up").select_option("G-STD of PSNR")
    stability.locator(".point").focus()
    assert f"G-STD of PSNR {scores.std(axis=1).mean():.4f} (" in stability.locator("output").inner_text()
    noisy, plain = (first.get_by_role("img", name=f"{name}:").bounding_box() for name in (NOISY, "Bicubic"))
    assert noisy is not None
    assert plain is not None
    assert noisy["x"] < plain["x"]  # PSNR is lower
    assert noisy["y"] > plain["y"]  # and so is SSIM


def test_images_are_sorted_and_filtered_by_scores(page: Page, results: Path) -> None:
    noisy, plain = psnr(results), psnr(results, "bicubic")
    apart = {name: abs(noisy[name].mean() - plain[name].mean()) for name in NAMES}
    assert gallery(page) == IMAGES
    page.get_by_label("Sort by").select_option("Disagreement of methods")
    assert gallery(page) == sorted(NAMES, key=lambda name: -apart[name])
    assert page.locator(".gallery .value").first.inner_text() == f"PSNR {max(apart.values()):.2f}"
    page.get_by_label("Order").select_option("Lowest first")
    assert gallery(page) == sorted(NAMES, key=lambda name: apart[name])
    page.get_by_label("Sort by").select_option("Spread over runs")
    page.get_by_label("Method", exact=True).select_option(NOISY)
    assert gallery(page) == sorted(NAMES, key=lambda name: noisy[name].std())
    assert page.locator(".gallery .value").first.inner_text() == f"PSNR {min(map(np.std, noisy.values())):.4f}"
    page.get_by_label("Sort by").select_option("Difference of two methods")
    page.get_by_label("Minus").select_option("Bicubic")
    differences = sorted((noisy[name].mean() - plain[name].mean(), name) for name in NAMES)
    assert gallery(page) == [name for _, name in differences]
    page.get_by_label("From").fill(str((differences[1][0] + differences[2][0]) / 2))
    assert gallery(page) == [name for _, name in differences[2:]]
    assert "2 of 4 images" in page.locator("#overview").inner_text()
    page.get_by_label("Sort by").select_option("Name")
    page.get_by_label("Name contains").fill("THIRD")
    assert gallery(page) == ["c-third"]


def test_next_image_is_the_next_of_the_gallery(page: Page) -> None:
    page.get_by_label("Sort by").select_option("Disagreement of methods")
    first, second = gallery(page)[:2]
    page.get_by_role("link", name=first).click()
    wait_for_heading(page, first)
    page.get_by_role("link", name="Next image").press("Enter")
    wait_for_heading(page, second)
    assert page.evaluate("document.activeElement.id") == "next"  # to go on with Enter


def test_back_button_and_deep_links(page: Page) -> None:
    page.get_by_role("link", name="c-third").click()
    page.go_back()
    wait_for_heading(page, "own")
    assert not page.locator("#viewer").is_visible()
    assert "c-third" in page.evaluate("document.activeElement.innerText")
    page.go_forward()
    wait_for_heading(page, "c-third")
    page.reload()
    assert page.locator("h1:visible").inner_text() == "c-third"
    assert page.title() == "c-third, own: ccsr-bench report"
    for unknown in ("#other", "#own/99", "#own/x", "#%E0%A4%A"):
        page.evaluate(f"location.hash = '{unknown}'")
        wait_for_heading(page, "own")


def test_heading_that_is_focused_to_be_read_out_has_no_ring(page: Page) -> None:
    go(page, "c-third")
    heading = page.locator("#image-name")
    assert heading.evaluate("heading => heading.matches(':focus-visible')")
    assert heading.evaluate("heading => getComputedStyle(heading).outlineStyle") == "none"


def test_arrow_in_a_header_says_what_is_better_and_nothing_else(page: Page) -> None:
    header = page.get_by_role("columnheader", name="PSNR")
    before = header.screenshot()
    header.get_by_role("button").click()
    page.mouse.move(0, 0)
    after = header.screenshot()
    assert before != after  # how it is sorted can be seen
    assert header.inner_text() == "PSNR ↑"
    pseudo = "header => getComputedStyle(header.querySelector('button'), '::after').content"
    assert header.evaluate(pseudo) == "none"


def test_methods_look_as_in_the_figures(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    marks = page.locator("#overview tbody .mark path")
    fill = "path => getComputedStyle(path).fill"
    for place, drawn in enumerate(marks.all()):
        assert drawn.get_attribute("d") == marker_of(place).svg
        wanted = colour_of(place).on_light
        assert drawn.evaluate(fill) == f"rgb({', '.join(str(int(wanted[at : at + 2], 16)) for at in (1, 3, 5))})"


def test_slider_moves_by_keyboard_and_by_dragging(page: Page) -> None:
    go(page, "c-third")
    slider = page.get_by_role("slider")
    divider = page.locator(".divider")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    assert slider.input_value() == "40"
    assert (slider.get_attribute("aria-valuetext") or "").startswith("40 % LR, the rest Bicubic + noise, run ")
    box, pane = divider.bounding_box(), page.locator(".slider .pane").bounding_box()
    assert box is not None
    assert pane is not None
    middle = box["x"] + box["width"] / 2
    assert (middle - pane["x"]) / pane["width"] == pytest.approx(0.4, abs=0.01)
    page.mouse.move(middle, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(pane["x"] + pane["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()
    assert float(slider.input_value()) == pytest.approx(75, abs=1.5)
    clip = page.locator(".half.right").evaluate("half => getComputedStyle(half).clipPath")
    assert clip == f"inset(0px 0px 0px {slider.input_value()}%)"


def test_best_and_worst_run_are_the_right_ones(page: Page, results: Path) -> None:
    with Ledger(results / "out" / "own" / "bicubic-dither") as ledger:
        for image, scores in psnr(results).items():
            go(page, image)
            best, worst = page.locator(".method .panes figure").all()[:2]
            for figure, word, run in ((best, "Best", scores.argmax()), (worst, "Worst", scores.argmin())):
                assert f"{word}: run {run}\nPSNR {scores[run]:.2f}" in figure.inner_text()
                assert shown_file(page, figure.locator("img")).samefile(ledger.image_path(image, int(run)))


def test_heat_map_and_its_scale_are_shown(page: Page, results: Path) -> None:
    go(page, "c-third")
    figure = page.get_by_role("region", name=NOISY).locator("figure").nth(2)
    assert shown_file(page, figure.locator("img")).name == "m1-std.png"
    with Ledger(results / "out" / "own" / "bicubic-dither") as ledger:
        assert f"L-STD {ledger.l_std(RUNS)['c-third']:.4f}" in figure.inner_text()
    assert shown_file(page, page.locator(".scale img")).name == "scale.png"
    assert "grey levels" in page.locator(".scale").inner_text()


def test_all_runs_can_be_stepped_through(page: Page, results: Path) -> None:
    go(page, "c-third")
    right = page.get_by_role("group", name="Right")
    start = int(psnr(results)["c-third"].argmax())
    scores = psnr(results)["c-third"]
    for step in range(1, RUNS + 1):
        right.get_by_role("button", name="Run after").press("Enter")
        run = (start + step) % RUNS
        assert right.get_by_label("Run", exact=True).input_value() == str(run)
        assert f"{scores[run]:.2f}" in right.inner_text()
        image = page.locator(f".half.right img[src$='m1-r{run:02d}.png']")
        assert shown_file(page, image).name == f"m1-r{run:02d}.png"
    page.get_by_text(f"All {RUNS} runs").click()
    page.get_by_role("button", name="Run 2", exact=True).click()
    assert page.locator(".tag.right").inner_text() == f"{NOISY}, run 2"


def test_zoom_is_the_same_in_all_pictures(page: Page) -> None:
    go(page, "c-third")

    def transforms() -> set[str]:
        return set(
            page.locator(".layer").evaluate_all("all => all.map(e => getComputedStyle(e).transform.split(',')[0])")
        )

    assert transforms() == {"matrix(1"}
    page.get_by_role("button", name="Zoom in").click()
    assert transforms() == {"matrix(1.5"}
    pane = page.locator(".panes .pane").first
    pane.scroll_into_view_if_needed()
    box = pane.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 8, box["y"] + box["height"] / 2)
    page.mouse.up()
    places = page.locator(".layer").evaluate_all(
        "all => all.map(e => ((e.getBoundingClientRect().left - e.parentElement.getBoundingClientRect().left)"
        " / e.parentElement.clientWidth).toFixed(3))"
    )
    assert set(places) == {"-0.375"}  # from -0.25 by an eighth, in panes of different sizes
    group = page.get_by_role("group", name="Comparison")
    group.focus()
    page.keyboard.press("0")
    assert transforms() == {"matrix(1"}


def test_name_that_looks_like_markup_stays_text(page: Page) -> None:
    assert HOSTILE in gallery(page)
    go(page, HOSTILE)
    assert page.locator("#viewer h1").inner_text() == HOSTILE
    assert HOSTILE in page.title()
    assert page.locator("main script").count() == 0


def test_page_cannot_reach_the_network(page: Page) -> None:
    policy = page.locator("meta[http-equiv]").get_attribute("content") or ""
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("default-src") == "'none'"
    assert set(itertools.chain.from_iterable(sources.split() for sources in directives.values())) == {"'self'", "data:"}


def luminance(colour: str) -> float:
    channels = [int(channel) / 255 for channel in re.findall(r"\d+", colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("how", ["system", "chosen"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_in_both_themes(page: Page, theme: str, how: str) -> None:
    if how == "system":
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    else:
        page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
        page.get_by_label("Theme").select_option(theme)

    def colour(name: str) -> str:
        script = f"document.body.style.color = 'var(--{name})'; getComputedStyle(document.body).color"
        return str(page.evaluate(script))

    assert (luminance(colour("page")) < 0.1) == (theme == "dark")
    assert contrast(colour("accent-text"), colour("accent")) >= 4.5
    for background in ("page", "surface"):
        for text in ("text", "muted", "accent"):
            assert contrast(colour(text), colour(background)) >= 4.5, (text, background)
    for index in range(len(COLOURS)):
        assert contrast(colour(f"series-{index}"), colour("page")) >= 4.5, index


@pytest.mark.parametrize("address", ["#own", "#own/0"])
def test_fits_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate(f"location.hash = '{address}'")
    wait_for_heading(page, IMAGES[0] if "/" in address else "own")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("address", ["#own", "#own/0"])
def test_everything_that_can_be_used_has_a_name(page: Page, address: str) -> None:
    page.evaluate(f"location.hash = '{address}'")
    wait_for_heading(page, IMAGES[0] if "/" in address else "own")
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, a, select, input, [tabindex="0"], img')].filter(e =>
            e.checkVisibility() && !(e.innerText || e.getAttribute('aria-label') || e.labels?.[0]?.innerText
            || e.hasAttribute('alt'))).map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_several_data_sets(browser: Browser, results: Path, tmp_path: Path) -> None:
    own = [*own_images(results), "--no-canary", "--metrics", "psnr", "--out", tmp_path / "out"]
    for name, limit in (("first", 3), ("second", 2)):
        done(["run", "--method", "bicubic", "--dataset", name, "--limit", limit, *own])
    done(["report", "--out", tmp_path / "out", "--to", tmp_path / "report"])
    opened = browser.new_page()
    opened.goto((tmp_path / "report" / "index.html").as_uri())
    assert (opened.locator("h1").inner_text(), len(gallery(opened))) == ("first", 3)
    opened.get_by_role("link", name="second", exact=True).click()
    wait_for_heading(opened, "second")
    assert (opened.locator("h1").inner_text(), len(gallery(opened))) == ("second", 2)
    assert opened.locator("nav [aria-current=page]").inner_text() == "second"
    assert "Every method has one run" not in opened.locator("main").inner_text()
    opened.get_by_role("link", name=IMAGES[0]).click()
    wait_for_heading(opened, IMAGES[0])
    assert "Every method has one run" in opened.locator("main").inner_text()
    opened.close()


def test_a_value_over_a_part_of_the_images_is_marked_and_sorted_last(
    browser: Browser, results: Path, tmp_path: Path
) -> None:
    own = ["run", "--dataset", "own", *own_images(results), "--no-canary", "--out", tmp_path / "out", "--runs", "2"]
    done([*own, "--method", "bicubic-dither", "--metrics", "psnr", "ssim"])
    done([*own, "--method", "bicubic", "--metrics", "psnr"])
    done([*own, "--method", "bicubic", "--metrics", "ssim", "--limit", "1"])
    done([*own, "--method", "lanczos", "--metrics", "psnr"])
    done(["report", "--out", tmp_path / "out", "--to", tmp_path / "report"])
    opened = browser.new_page()
    opened.goto((tmp_path / "report" / "index.html").as_uri())
    assert "(1 of 4 images)" in opened.get_by_role("row", name="Bicubic", exact=False).first.inner_text()
    assert "of 4 images" not in opened.get_by_role("row", name=NOISY).inner_text()
    header = opened.get_by_role("columnheader", name="SSIM").get_by_role("button")
    for _ in ("descending", "ascending"):
        header.click()
        assert opened.locator("#overview tbody th").all_inner_texts() == [NOISY, "Bicubic", "Lanczos"]
    opened.close()


def test_spreads_over_different_numbers_of_runs_are_remarked(browser: Browser, results: Path, tmp_path: Path) -> None:
    out = with_a_noise_floor_of_two_runs(results, tmp_path)
    done(["report", "--out", out, "--to", tmp_path / "report"])
    opened = browser.new_page()
    opened.goto((tmp_path / "report" / "index.html").as_uri())
    first, stability, _ = opened.locator(".plots figure").all()
    for axis in ("L-STD", "G-STD of PSNR"):
        stability.get_by_label("Up").select_option(axis)
        assert f"N differs: {NOISY} 4, {NOISY} (same seed) 2;" in stability.inner_text()
    assert "N differs" not in first.inner_text()
    opened.close()


def test_without_reference_images(browser: Browser, results: Path, tmp_path: Path) -> None:
    build(results, tmp_path / "report", with_images=False)
    opened = browser.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto((tmp_path / "report" / "index.html").as_uri())
    assert "LR and HR images were not available" in opened.locator(".lead").inner_text()
    opened.get_by_role("link", name="c-third").click()
    wait_for_heading(opened, "c-third")
    assert opened.locator(".tag").all_inner_texts()[0] == "Bicubic"
    opened.close()
    assert errors == []
