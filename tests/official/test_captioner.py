"""SUPIR's captioner: equality with the official script, and captions that depend on the image alone.

See `test_official.py`; the environment is that of `methods/supir/captioner.lock`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.errors import NotInstalledError
from ccsr_bench.methods import loading
from ccsr_bench.methods.isolated.host import IsolatedCaptioner, Launch
from ccsr_bench.methods.registry import find_method
from tests.support.pictures import picture

SEED = 7_000_000_000_000_000_001


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """Settings of the captioner's worker, with tiny networks written by its own interpreter."""
    home = os.environ.get("CCSR_BENCH_OFFICIAL")
    if not home:
        pytest.skip("needs official checkouts and environments: CCSR_BENCH_OFFICIAL names their folder")
    folder = tmp_path_factory.mktemp("captioner")
    spec = find_method("supir-s50").captioner
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", home)
        try:
            settings = loading.launch_settings(spec, {}, device="cpu", log=folder / "worker.log")
        except NotInstalledError as error:
            pytest.skip(str(error))
    official(settings, "tiny", folder)
    parameters = json.loads((folder / "parameters.json").read_text())
    return replace(settings, weights={role: folder / role for role in spec.variant.weights}, parameters=parameters)


@pytest.fixture
def captioner(launch: Launch) -> Iterator[IsolatedCaptioner]:
    """The captioner in a worker."""
    captioner = IsolatedCaptioner(launch)
    captioner.start()
    yield captioner
    captioner.close()


def official(launch: Launch, what: str, folder: Path, *arguments: object) -> None:
    """Run the official code directly."""
    script = Path(__file__).with_name("supir_script.py")
    command = [launch.interpreter, script, what, "supir", launch.source, folder, *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize(("height", "width"), [(128, 128), (130, 160)])
def test_equals_the_official_script(
    launch: Launch, captioner: IsolatedCaptioner, tmp_path: Path, height: int, width: int
) -> None:
    lr = picture(3, 160)[:height, :width]
    np.save(tmp_path / "lr.npy", lr)
    folder = launch.weights["llava"].parent
    official(launch, "caption", folder, tmp_path / "lr.npy", SEED, tmp_path / "caption.txt")
    assert captioner.caption(lr, SEED) == (tmp_path / "caption.txt").read_text() != ""


def test_depends_on_image_and_seed_alone(captioner: IsolatedCaptioner) -> None:
    first, second = (np.ascontiguousarray(picture(seed)[:32, :32]) for seed in (1, 2))
    caption = captioner.caption(first, SEED)
    assert captioner.caption(second, SEED) != caption
    assert captioner.caption(first, SEED + 1) != caption  # words are sampled
    assert captioner.caption(first, SEED) == caption
