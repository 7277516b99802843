"""Adapters of official code: the contract, and equality with the official code called directly.

They need what `ccsr-bench prepare --method M --source DIR` installs, without weights: networks with random weights in
the official layout stand for them. CCSR_BENCH_OFFICIAL names the CCSR_BENCH_HOME that holds environments and checkouts.
"""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from ccsr_bench.errors import NotInstalledError
from ccsr_bench.methods import loading
from ccsr_bench.methods.contract import check_contract
from ccsr_bench.methods.isolated import IsolatedMethod, Launch
from ccsr_bench.methods.manifest import Execution
from ccsr_bench.methods.registry import MethodSpec, find_method
from ccsr_bench.methods.weights import InstalledWeights
from tests.conftest import picture
from tests.official import resshift_family

SCRIPTS: dict[str, tuple[Path, dict[str, Any]]] = {
    name: (Path(resshift_family.__file__), resshift_family.TINY) for name in ("resshift-s15", "sinsr-s1")
}


@pytest.fixture(params=sorted(SCRIPTS))
def spec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> MethodSpec:
    """The method, with tiny networks."""
    prepared = os.environ.get("CCSR_BENCH_OFFICIAL")
    if not prepared:
        pytest.skip("needs official checkouts and environments: CCSR_BENCH_OFFICIAL names their folder")
    monkeypatch.setenv("CCSR_BENCH_HOME", prepared)
    found = find_method(request.param)
    parameters = {**found.variant.parameters, "overrides": SCRIPTS[found.name][1]}
    return MethodSpec(
        found.name, found.manifest, msgspec.structs.replace(found.variant, parameters=parameters), found.folder
    )


@pytest.fixture
def method_runs(spec: MethodSpec, tmp_path: Path) -> functools.partial[Any]:
    """Loads the method with weights that its own interpreter has written."""
    try:
        launch = loading.launch(spec, {}, device="cpu", log=tmp_path / "worker.log")
    except NotInstalledError as error:
        pytest.skip(str(error))
    _official(launch, "tiny", spec, tmp_path)
    weights = {role: InstalledWeights(tmp_path / "weights" / role, "") for role in spec.variant.weights}
    return functools.partial(loading.load, spec, Execution(), weights, log=tmp_path / "worker.log")


def _official(launch: Launch, what: str, spec: MethodSpec, folder: Path, *arguments: object) -> None:
    script = SCRIPTS[spec.name][0]
    command = [launch.interpreter, script, what, spec.manifest.id, launch.source, folder / "weights", *arguments]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def test_contract(spec: MethodSpec, method_runs: functools.partial[Any]) -> None:
    broken = [finding for finding in check_contract(spec, method_runs, size=64) if not finding.kept]
    assert not broken


@pytest.mark.parametrize(("height", "width"), [(64, 64), (40, 72)])
def test_equals_the_official_code(
    spec: MethodSpec, method_runs: functools.partial[Any], tmp_path: Path, height: int, width: int
) -> None:
    launch = loading.launch(spec, {}, device="cpu", log=tmp_path / "worker.log")
    lr = picture(3, 80)[:height, :width]
    np.save(tmp_path / "lr.npy", lr)
    seed = 7_000_000_000_000_000_001
    _official(launch, "restore", spec, tmp_path, tmp_path / "lr.npy", seed, tmp_path / "output.npy")
    method: IsolatedMethod = method_runs()
    try:
        ours = method.restore(lr, [seed])[0]
    finally:
        method.close()
    assert len(np.unique(ours)) > 20  # a picture, and not a constant
    np.testing.assert_array_equal(ours, np.load(tmp_path / "output.npy"))
