"""`ccsr-bench caption`, and the methods that take its captions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.cli import main
from ccsr_bench.datasets.loading import from_folders
from ccsr_bench.images import write_png
from ccsr_bench.ledger.reader import Ledger
from ccsr_bench.ledger.records import CaptionOrigin, text_of
from ccsr_bench.methods import captions
from ccsr_bench.methods.registry import find_method
from tests.support.cli import Capture, mistake
from tests.support.isolated import MANIFEST, write_isolated
from tests.support.pictures import picture

CAPTIONER = """
import pathlib
import random

class Captioner:
    def caption(self, lr, seed):
        what = int(lr[0, 0, 0])
        seeing = pathlib.Path(__file__).with_name("seeing").exists()
        if what == 3 and not seeing:
            raise ValueError("nothing to see")
        if what == 4 and not seeing:
            return None
        return "A picture of %d, seen by \\u00e9 %d" % (what, random.randrange(10**9))

def load(source, weights, device):
    return Captioner()
"""
ADAPTER = """
import numpy as np

class Model:
    def restore(self, lr, seed, caption):
        assert caption.startswith("A p")
        output = lr.repeat(4, 0).repeat(4, 1)
        output[0, 0] = len(caption), seed % 256, 0
        return output

def load(source, weights, device):
    return Model()
"""
VARIANT = 'title = "Fake"\nsteps = 3'
TWO_KINDS = MANIFEST.replace(VARIANT, f"{VARIANT}\ncaptioned = true").replace(
    "[variants.fake]", '[captioner]\npython = "{python}"\n\n[variants.fake]'
)
RAISES, ANSWERS_NOTHING = "image1", "image2"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Four pairs, on two of which the captioner fails."""
    for index in range(4):
        lr = picture(index, 8)
        lr[0, 0, 0] = {RAISES: 3, ANSWERS_NOTHING: 4}.get(f"image{index}", 100 + index)
        for part, image in (("lr", lr), ("hr", lr.repeat(4, 0).repeat(4, 1))):
            (tmp_path / "own" / part).mkdir(parents=True, exist_ok=True)
            write_png(tmp_path / "own" / part / f"image{index}.png", np.ascontiguousarray(image))
    return tmp_path / "own"


@pytest.fixture
def methods(tmp_path: Path, home: Path) -> Path:
    """A folder of methods, with one that takes captions."""
    folder = write_isolated(tmp_path / "methods", home, adapter=ADAPTER, manifest=TWO_KINDS)
    (folder / "fake" / "captioner.py").write_text(CAPTIONER)
    (folder / "fake" / "captioner.lock").write_text("numpy\n")
    return folder


def chosen(pairs: Path, methods: Path) -> list[str]:
    """Return the options that choose the method and the images."""
    return [str(a) for a in ["--method", "fake", "--methods-dir", methods, "--lr", pairs / "lr", "--hr", pairs / "hr"]]


def caption(capsys: Capture, *arguments: str) -> tuple[int, dict[str, object]]:
    """Run `caption`; return the exit code and the summary that it prints."""
    capsys.readouterr()
    code = main(["caption", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def kept(home: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (home / "captions" / "fake").iterdir()}


def test_from_images_to_a_run(pairs: Path, methods: Path, home: Path, tmp_path: Path, capsys: Capture) -> None:
    asked = chosen(pairs, methods)
    run = ["run", *asked, "--runs", "2", "--metrics", "psnr", "--out", str(tmp_path / "out")]
    line = mistake(capsys, *run)
    assert (
        "no caption of image0, image1, image2 ...; run `ccsr-bench caption --method fake` with the same --dataset"
        in line
    )

    code, said = caption(capsys, *asked)
    assert (code, said["images"], said["made"]) == (3, 4, 2)
    assert said["failures"] == {
        RAISES: "ValueError: nothing to see",
        ANSWERS_NOTHING: "TypeError: the captioner returned NoneType, it must return a text",
    }
    first = kept(home)
    record = json.loads(next(iter(first.values())))
    assert record["text"].startswith("A picture of 10")
    captioner = record["made_by"]["captioner"]
    assert (captioner["code"], captioner["lock"]) == ("captioner.py", "captioner.lock")
    assert captioner["code_sha256"] == hashlib.sha256(CAPTIONER.encode()).hexdigest()[:16]
    assert not record["made_by"]["gpu"]

    # Only the failed images are tried again, and their captions do not depend on those made before.
    (methods / "fake" / "seeing").touch()
    assert "no caption of image1, image2; run" in mistake(capsys, *run)
    code, said = caption(capsys, *asked)
    assert (code, said["made"], said["failures"]) == (0, 2, {})
    second = kept(home)
    assert first.items() < second.items()
    code, said = caption(capsys, *asked)
    assert (code, said["made"], kept(home)) == (0, 0, second)

    # Captions of another version of the captioner are not used, and no captions are added to them.
    (methods / "fake" / "captioner.py").write_text(f"{CAPTIONER}\n# changed")
    next(iter((home / "captions" / "fake").iterdir())).unlink()
    assert "another version of it, made 3 of the captions; move the folder away" in mistake(capsys, "caption", *asked)
    (home / "captions" / "fake").rename(home / "captions" / "old")
    assert caption(capsys, *asked)[0] == 0
    texts = {name: json.loads(text)["text"] for name, text in kept(home).items()}
    assert texts == {name: json.loads(text)["text"] for name, text in second.items()}
    assert main(run) == 0
    with Ledger(tmp_path / "out" / "custom" / "fake") as ledger:
        assert "captions by captioner.py sha256" in ledger.identity.made_by_text


def test_prepare_makes_the_captioners_environment_too(methods: Path, tmp_path: Path, capsys: Capture) -> None:
    manifest = methods / "fake" / "method.toml"
    named = 'weights = { model = "words" }\n\n[variants.fake]'
    described = '[weights.words]\nlicence = "none"\nfolder = "words"\nfiles = { "model.bin" = "" }\n'
    described += 'sources = [{ kind = "by-hand", page = "https://example.org" }]\n'
    manifest.write_text(f"{manifest.read_text().replace('[variants.fake]', named)}\n{described}")
    (tmp_path / "local" / "words").mkdir(parents=True)
    (tmp_path / "local" / "words" / "model.bin").write_bytes(b"words")
    command = ["prepare", "--method", "fake", "--methods-dir", methods, "--from", tmp_path / "local"]
    assert main([str(a) for a in command]) == 0
    said = capsys.readouterr().out
    assert "fake: environment of requirements.lock" in said
    assert "fake: environment of captioner.lock" in said
    assert "words: recorded" in said


def test_captions_of_an_earlier_version_that_gives_the_same_are_kept(
    pairs: Path, methods: Path, home: Path, capsys: Capture
) -> None:
    asked = chosen(pairs, methods)
    (methods / "fake" / "seeing").touch()
    assert caption(capsys, *asked, "--limit", "2")[0] == 0
    (before,) = captions_made_by(methods, pairs, 2)
    version = hashlib.sha256(CAPTIONER.encode()).hexdigest()[:16]
    manifest = methods / "fake" / "method.toml"
    text = manifest.read_text().replace("[captioner]", f'[captioner]\nearlier_versions = ["{version}"]')
    manifest.write_text(text)
    (methods / "fake" / "captioner.py").write_text(f"{CAPTIONER}\n# changed")
    code, said = caption(capsys, *asked)
    assert (code, said["made"]) == (0, 2)
    # The captions of both versions count as captions of the present one.
    now, earlier = captions_made_by(methods, pairs, 4)
    assert now != before
    assert earlier == before


@pytest.mark.parametrize("weights", ["", ", model weights sha256 0123456789abcdef"])
def test_captions_that_version_0_1_0_kept_are_used_and_added_to(
    pairs: Path, methods: Path, home: Path, capsys: Capture, weights: str
) -> None:
    asked = chosen(pairs, methods)
    (methods / "fake" / "seeing").touch()
    assert caption(capsys, *asked, "--limit", "2")[0] == 0
    (present,) = captions_made_by(methods, pairs, 2)
    text = text_of(present).replace(", on a CPU", f"{weights}, on a CPU")
    for file in (home / "captions" / "fake").iterdir():
        file.write_text(json.dumps({"text": json.loads(file.read_text())["text"], "made_by": text}))
    assert captions_made_by(methods, pairs, 2) == [text]
    if not weights:  # the fake captioner has no weights, so it adds no captions to those of a captioner with weights
        assert caption(capsys, *asked)[0] == 0
    else:
        assert "made 2 of the captions" in mistake(capsys, "caption", *asked)


def captions_made_by(methods: Path, pairs: Path, images: int) -> list[CaptionOrigin | str]:
    samples = from_folders(pairs / "lr", pairs / "hr").samples[:images]
    return captions.check(find_method("fake", [methods]), samples)


def test_a_damaged_caption_is_named(pairs: Path, methods: Path, home: Path, capsys: Capture) -> None:
    asked = [*chosen(pairs, methods), "--limit", "1"]
    assert caption(capsys, *asked)[0] == 0
    (name,) = kept(home)
    for damaged in ("", '{"text": 1, "made_by": ""}', '{"text": "x"}'):
        (home / "captions" / "fake" / name).write_text(damaged)
        for verb in ("caption", "run"):
            line = mistake(capsys, verb, *asked)
            assert f"{name}: " in line
            assert "remove it and caption again" in line


def test_methods_without_captions(pairs: Path, methods: Path, capsys: Capture) -> None:
    options = ["--lr", str(pairs / "lr"), "--hr", str(pairs / "hr")]
    assert "method 'bicubic' takes no captions" in mistake(capsys, "caption", "--method", "bicubic", *options)
    manifest = methods / "fake" / "method.toml"
    manifest.write_text(manifest.read_text().replace("[captioner]", "[other]", 1))
    assert "unknown field `other`" in mistake(capsys, "caption", *chosen(pairs, methods))
    manifest.write_text(manifest.read_text().split("[other]")[0] + "[variants.fake]\n" + VARIANT + "\ncaptioned = true")
    assert "is captioned, which takes a captioner" in mistake(capsys, "caption", *chosen(pairs, methods))


def test_a_captioner_that_cannot_start(pairs: Path, methods: Path, capsys: Capture) -> None:
    (methods / "fake" / "captioner.py").write_text("raise ImportError('no LLaVA')")
    line = mistake(capsys, "caption", *chosen(pairs, methods))
    assert "method 'fake': cannot be loaded: ImportError: no LLaVA; see" in line
    assert "no LLaVA" in Path(line.rsplit("see ")[-1]).read_text()


def test_prepare_and_doctor_know_its_captioner(methods: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    prepare = ["prepare", "--method", "fake", "--methods-dir", str(methods), "--offline"]
    assert main(prepare) == 0
    (methods / "fake" / "captioner.lock").write_text("numpy\nother\n")
    assert main(prepare) == 1
    assert "captioner.lock; run `ccsr-bench prepare --method fake`" in capsys.readouterr().out
    monkeypatch.setenv("CCSR_BENCH_METHODS", str(methods))
    assert main(["doctor"]) == 0
    assert "captioner.lock; run `ccsr-bench prepare --method fake`" in capsys.readouterr().out


def test_a_captioned_method_is_tested_and_profiled_without_captions_of_images(methods: Path, capsys: Capture) -> None:
    command = ["--methods-dir", str(methods), "--size", "16", "--json"]
    assert main(["test-method", "fake", *command]) == 0
    assert main(["profile", "--method", "fake", *command]) == 0
