"""Adapters of official code: the contract, and equality with the official code called directly.

The tests need what `ccsr-bench prepare --method M --source DIR` installs except the weights, which are replaced by tiny
networks with random weights in the official layout. The environment variable CCSR_BENCH_OFFICIAL names the
CCSR_BENCH_HOME with the environments and checkouts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ccsr_bench.errors import NotInstalledError
from ccsr_bench.methods import loading
from ccsr_bench.methods.contract_check import check_contract
from ccsr_bench.methods.isolated.host import IsolatedMethod, Launch
from ccsr_bench.methods.registry import MethodSpec, find_method
from ccsr_bench.methods.weights import InstalledWeights
from tests.support.pictures import picture

SCRIPTS = {
    "resshift-s15": "resshift_family.py",
    "sinsr-s1": "resshift_family.py",
    "osediff-s1": "osediff_script.py",
    "osediff-s1-mode": "osediff_script.py",
    "seesr-s50": "seesr_script.py",
    "seesr-s3": "seesr_script.py",
    "addsr-s4": "addsr_script.py",
    "addsr-s1": "addsr_script.py",
    "pasd-s20": "pasd_script.py",
    "pasd-s3": "pasd_script.py",
    "diffbir-v1-s50": "diffbir_script.py",
    "diffbir-v1-s3": "diffbir_script.py",
    "diffbir-v2-s50": "diffbir_script.py",
    "diffbir-v2-s3": "diffbir_script.py",
    "stablesr-s200": "stablesr_script.py",
    "stablesr-s3": "stablesr_script.py",
    "supir-s50": "supir_script.py",
    "supir-s50-no-caption": "supir_script.py",
}
"""Method -> script that writes tiny networks in the official layout, and runs the official code directly."""

ADAPTERS = {"supir_script.py": "supir_tiny.py"}
"""Script -> file that is loaded instead of the adapter, and loads it, if tiny networks need changed official code."""

SIZES = {
    "resshift_family.py": [(64, 64), (40, 72)],
    "stablesr_script.py": [(128, 128), (128, 128)],
    "pasd_script.py": [(128, 128), (102, 133)],
    "diffbir_script.py": [(128, 152), (100, 141)],
    "supir_script.py": [(128, 128), (130, 160)],
}
"""Script -> sizes of two LR images; some are padded or cut, others are not."""

OTHER_SIZES = [(128, 128), (130, 156)]
SEED = 7_000_000_000_000_000_001
CAPTION = "A street at night, with lamps."


@dataclass
class Prepared:
    """A method with tiny networks."""

    spec: MethodSpec
    launch: Launch
    folder: Path

    def official(self, what: str, *arguments: object) -> None:
        """Run the official code directly."""
        script = Path(__file__).with_name(SCRIPTS[self.spec.name])
        command = [self.launch.interpreter, script, what, self.spec.manifest.id, self.launch.source, self.folder]
        done = subprocess.run(
            [str(part) for part in (*command, *arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def load(self) -> IsolatedMethod:
        """Load the method in a worker."""
        weights = {role: InstalledWeights(self.folder / role, "") for role in self.spec.variant.weights}
        launch = loading.launch_settings(self.spec, weights, device="cpu", log=self.folder / "worker.log")
        if adapter := ADAPTERS.get(SCRIPTS[self.spec.name]):
            launch = replace(launch, adapter=Path(__file__).with_name(adapter))
        method = IsolatedMethod(launch, (lambda _: CAPTION) if self.spec.variant.captioned else None)
        method.start()
        return method


@pytest.fixture(params=list(SCRIPTS), scope="module")
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """The method, with tiny networks written by its own interpreter."""
    home = os.environ.get("CCSR_BENCH_OFFICIAL")
    if not home:
        pytest.skip("needs official checkouts and environments: CCSR_BENCH_OFFICIAL names their folder")
    folder = tmp_path_factory.mktemp("official")
    spec = find_method(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCSR_BENCH_HOME", home)
        try:
            launch = loading.launch_settings(spec, {}, device="cpu", log=folder / "worker.log")
        except NotInstalledError as error:
            pytest.skip(str(error))
    method = Prepared(spec, launch, folder)
    (folder / "parameters.json").write_text(json.dumps(spec.variant.parameters))
    (folder / "caption.txt").write_text(CAPTION if spec.variant.captioned else "")
    method.official("tiny")
    parameters = {**spec.variant.parameters, **json.loads((folder / "parameters.json").read_text())}
    method.spec = replace(spec, variant=msgspec.structs.replace(spec.variant, parameters=parameters))
    yield method
    shutil.rmtree(folder)  # the tagger's weights alone are 2 GB


@pytest.fixture(autouse=True)
def official_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the prepared environments and checkouts."""
    monkeypatch.setenv("CCSR_BENCH_HOME", os.environ.get("CCSR_BENCH_OFFICIAL", str(home)))


def test_contract(prepared: Prepared) -> None:
    size, _ = SIZES.get(SCRIPTS[prepared.spec.name], OTHER_SIZES)[0]
    broken = [promise for promise in check_contract(prepared.spec, prepared.load, size=size) if not promise.kept]
    assert not broken


@pytest.mark.parametrize("which", [0, 1])
def test_equals_the_official_code(prepared: Prepared, tmp_path: Path, which: int) -> None:
    if prepared.spec.name in ("osediff-s1-mode", "addsr-s1"):
        pytest.skip("the official script has no such option")
    height, width = SIZES.get(SCRIPTS[prepared.spec.name], OTHER_SIZES)[which]
    lr = picture(3 + which, 160)[:height, :width]
    np.save(tmp_path / "lr.npy", lr)
    prepared.official("restore", tmp_path / "lr.npy", SEED, tmp_path / "output.npy", prepared.spec.variant.steps)
    method = prepared.load()
    try:
        ours = method.restore(lr, [SEED])[0]
    finally:
        method.close()
    assert len(np.unique(ours)) > 20  # the output is not constant
    np.testing.assert_array_equal(ours, np.load(tmp_path / "output.npy"))
