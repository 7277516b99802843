"""Every example of README and the documentation that needs no network, weights or GPU is run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from ccsr_bench.cli import main
from tests.support.doc_examples import Runner, read_examples
from tests.support.pictures import write_pairs

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    page.relative_to(REPOSITORY).as_posix()
    for page in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
]
FROM_NOTHING = {"README.md", "docs/tutorial.md"}
"""Pages that a reader starts in an empty folder; the others go on from the results of the tutorial."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder that most pages start from."""
    out = tmp_path_factory.mktemp("examples") / "results"
    methods = ["bicubic", "bicubic-dither", "lanczos"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", str(out.parent / "home"))
        call = ["run", "--method", *methods, "--dataset", "sample", "--metrics", "psnr", "ssim", "--out", str(out)]
        assert main(call) == 0
    return out


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a reader works in, with a checkout's examples and two pairs of images of the reader's own."""
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    write_pairs(tmp_path / "my", ["image0", "image1"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if any(e.runs for e in read_examples(REPOSITORY / page))])
def test_examples_do_what_the_page_says(
    page: str, reader: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if page not in FROM_NOTHING:
        shutil.copytree(results, reader / "results")
    runner = Runner(capsys)
    for example in read_examples(REPOSITORY / page):
        if example.runs:
            runner.run(example)


@pytest.mark.skipif("CCSR_BENCH_SLOW" not in os.environ, reason="half a minute; set CCSR_BENCH_SLOW=1")
def test_examples_with_realsr_do_what_the_page_says(
    shared: Path, reader: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "--dataset", "RealSR", "--from", str(shared / "data" / "RealSR")]) == 0
    runner = Runner(capsys)
    for page in PAGES:
        for example in read_examples(REPOSITORY / page):
            if example.needs_realsr:
                runner.run(example)


def test_toml_examples_can_be_read() -> None:
    blocks = [example for page in PAGES for example in read_examples(REPOSITORY / page) if example.language == "toml"]
    assert blocks
    for block in blocks:
        assert msgspec.toml.decode(block.code)


def test_the_first_table_is_what_the_command_prints(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `make demo` computes without published weights: `results` holds both interpolations."""
    capsys.readouterr()
    assert main(["table", "--out", str(results), "--method", "bicubic", "bicubic-dither"]) == 0
    printed = _cells(_table_rows(capsys.readouterr().out))
    assert [*printed["Bicubic + noise"]] == ["N", "Images", "PSNR ↑", "SSIM ↑", "L-STD ↓"]
    for page in ("README.md", "docs/index.md"):
        shown = _cells(list(_table_rows((REPOSITORY / page).read_text(encoding="utf-8")))[:5])
        assert "Real-ESRGAN (float16 weights)" in shown
        for method, cells in printed.items():
            assert cells.items() <= shown[method].items()


def _cells(rows: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the rows of a table: method -> column -> cell."""
    columns, _, *rest = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {method: dict(zip(columns[1:], cells, strict=True)) for method, *cells in rest}


def _table_rows(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.startswith("|"))


def test_readme_is_a_front_page() -> None:
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()) < 120
