"""What every method must do; each method that can be loaded here is tested.

Networks are tiny ones. `CCSR-S2` and `CCSR-S1` stand for CCSR: its other variants are other numbers.
"""

from __future__ import annotations

import numpy as np
import pytest

from ccsr_bench.methods.base import Execution, Method
from ccsr_bench.methods.loading import load_method
from ccsr_bench.methods.registry import MethodSpec, find_methods
from tests.support.pictures import picture
from tests.support.tiny_spandrel import CHECKPOINTS, write_checkpoints

SPECS = find_methods()
TINY = {"ccsr-s1": "ccsr", "ccsr-s2": "ccsr", **dict.fromkeys(CHECKPOINTS, "spandrel")}
"""Method -> the extra that its networks need."""


@pytest.fixture(params=sorted(SPECS), scope="module")
def spec(request: pytest.FixtureRequest) -> MethodSpec:
    return SPECS[request.param]


@pytest.fixture(scope="module")
def method(spec: MethodSpec, tmp_path_factory: pytest.TempPathFactory) -> Method:
    if not spec.variant.weights:
        return load_method(spec)
    if spec.name not in TINY:
        pytest.skip(f"{spec.name} needs its weights: `ccsr-bench prepare --method {spec.name}`")
    extra = TINY[spec.name]
    pytest.importorskip("diffusers" if extra == "ccsr" else extra, reason=f"needs the extra `{extra}`")
    from tests.support.tiny_ccsr import write_narrow_weights

    write = write_narrow_weights if extra == "ccsr" else write_checkpoints
    folder = write(tmp_path_factory.mktemp("weights"))
    return load_method(spec, Execution(dtype="float32"), spec.find_weights(folder))


def test_shape_and_type(method: Method, spec: MethodSpec) -> None:
    outputs = method.restore(picture(0, 32)[:, :24], [1, 2, 3])
    assert outputs.shape == (3, 32 * spec.manifest.scale, 24 * spec.manifest.scale, 3)
    assert outputs.dtype == np.uint8


def test_same_seed_gives_the_same_bytes(method: Method) -> None:
    first = method.restore(picture(0, 32), [7])
    method.restore(picture(1, 32), [8, 9])  # whatever ran before
    np.testing.assert_array_equal(method.restore(picture(0, 32), [7]), first)


def test_output_does_not_depend_on_its_batch(method: Method) -> None:
    together = method.restore(picture(0, 32), [1, 2, 3, 4])
    for index, seed in enumerate([1, 2, 3, 4]):
        np.testing.assert_array_equal(method.restore(picture(0, 32), [seed])[0], together[index])


def test_seeds_matter_exactly_where_the_manifest_says(method: Method, spec: MethodSpec) -> None:
    first, second = method.restore(picture(0, 32), [1, 2])
    assert spec.stochastic == bool((first != second).any())


def test_largest_seed_is_accepted(method: Method) -> None:
    assert len(method.restore(picture(0, 32), [2**63 - 1])) == 1


def test_input_is_left_alone(method: Method) -> None:
    lr = picture(0, 32)
    lr.setflags(write=False)
    method.restore(lr, [1])
    np.testing.assert_array_equal(lr, picture(0, 32))


def test_output_is_the_input_magnified(method: Method, spec: MethodSpec) -> None:
    if spec.variant.weights:
        pytest.skip("tiny networks with random weights do not keep the picture")
    lr = picture(0, 32)
    output = method.restore(lr, [1])[0]
    scale = spec.manifest.scale
    means = output.reshape(32, scale, 32, scale, 3).mean((1, 3))
    assert np.abs(means - lr).mean() < 8  # not shifted, mirrored, or in another channel order
