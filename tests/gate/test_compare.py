from __future__ import annotations

import msgspec
import numpy as np
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.gate.baseline import Baseline
from ccsr_bench.gate.compare import BaselineComparison, compare_baselines
from ccsr_bench.gate.seed_noise import swap_p_value
from ccsr_bench.statistics.paired import holm
from tests.support.simulated import results

LEVELS = np.random.default_rng(0).normal(25, 3, 100)
WIDTHS = np.random.default_rng(1).lognormal(-1, 0.5, 100)


def drawn(
    generator: np.random.Generator, images: int, runs: int, *, lower: float = 0.0, wider: float = 1.0
) -> Baseline:
    """Return scores of two metrics and an L-STD of 64 parts, whose level and spread belong to the images."""
    level, width = LEVELS[:images, None], WIDTHS[:images, None]
    noise = generator.normal(size=(2, images, runs))
    scores = {"psnr": level - lower + wider * width * noise[0], "lpips": 0.3 + 0.1 * wider * width * noise[1]}
    parts = generator.normal(size=(runs, images, 64)).std(axis=0).mean(axis=1)
    return results(scores, list(0.03 * wider * WIDTHS[:images] * parts))


def verdicts(comparison: BaselineComparison) -> dict[str, str]:
    return {outcome.name: outcome.verdict for outcome in comparison.outcomes}


@pytest.mark.parametrize(("images", "runs"), [(6, 10), (4, 3), (20, 4)])
def test_no_change_is_silent(images: int, runs: int) -> None:
    generator = np.random.default_rng(2)
    fired = [
        bool(compare_baselines(drawn(generator, images, runs), drawn(generator, images, runs)).regressions)
        for _ in range(60)
    ]
    assert sum(fired) <= 2


def test_a_significantly_lower_score_is_found() -> None:
    generator = np.random.default_rng(3)
    standard_error = np.sqrt(2 * (WIDTHS[:20] ** 2).sum() / 10) / 20
    found = [
        compare_baselines(drawn(generator, 20, 10), drawn(generator, 20, 10, lower=6 * standard_error)).regressions
        for _ in range(30)
    ]
    assert all([outcome.name for outcome in regressions] == ["psnr"] for regressions in found)


def test_more_spread_is_found_in_g_std_and_l_std() -> None:
    generator = np.random.default_rng(4)
    found = verdicts(compare_baselines(drawn(generator, 100, 10), drawn(generator, 100, 10, wider=1.3)))
    assert found == {
        "psnr": "same",
        "lpips": "same",
        "psnr g-std": "regression",
        "lpips g-std": "regression",
        "l-std": "regression",
    }
    found = verdicts(compare_baselines(drawn(generator, 100, 10, wider=1.3), drawn(generator, 100, 10)))
    assert set(found.values()) == {"same", "better"}


@pytest.mark.parametrize(("metric", "worse"), [("psnr", -1.0), ("lpips", 1.0), ("niqe", 1.0), ("musiq", -1.0)])
def test_only_worse_is_a_regression(metric: str, worse: float) -> None:
    noise = np.random.default_rng(5).normal(0, 0.01, (2, 6, 4))
    base = results({metric: 0.5 + noise[0]})
    assert verdicts(compare_baselines(base, results({metric: 0.5 + worse + noise[1]})))[metric] == "regression"
    better = compare_baselines(base, results({metric: 0.5 - worse + noise[1]}))
    assert verdicts(better)[metric] == "better"
    assert not better.regressions


def test_p_values_are_corrected_for_all_metrics_together() -> None:
    old, new = np.random.default_rng(18).normal(size=(2, 3, 6, 4))
    names = ("psnr", "ssim", "lpips")
    outcomes = compare_baselines(
        results(dict(zip(names, old, strict=True))), results(dict(zip(names, new, strict=True)))
    ).outcomes
    alone = {name: swap_p_value(*pair) for name, pair in zip(names, zip(old, new, strict=True), strict=True)}
    assert {outcome.name: outcome.p_value for outcome in outcomes if outcome.kind == "difference"} == holm(alone)
    assert holm(alone) != alone


def test_a_difference_within_seed_noise_does_not_count_even_if_it_is_significant() -> None:
    """The same seeds, every output a little worse: significant, but no more than other seeds would do."""
    base = np.random.default_rng(6).normal(25, 1, (6, 10))
    (psnr, *_) = compare_baselines(results({"psnr": base}), results({"psnr": base - 0.1})).outcomes
    assert psnr.p_value is not None
    assert psnr.p_value < 0.001
    assert psnr.change == pytest.approx(-0.1)
    assert psnr.tolerance > 0.3
    assert psnr.verdict == "same"


@pytest.mark.parametrize(("draw", "p_value"), [(17, 0.43), (146, 0.06)])
def test_a_difference_beyond_seed_noise_need_not_be_significant(draw: int, p_value: float) -> None:
    """Two runs of three images, of which one moves: three standard errors are estimated from too little."""
    base, new = np.random.default_rng(draw).normal(size=(2, 3, 2)) * [[1.0], [0.1], [0.1]]
    (psnr, _) = compare_baselines(results({"psnr": base}), results({"psnr": new})).outcomes
    assert psnr.change < -psnr.tolerance
    assert psnr.p_value == pytest.approx(p_value, abs=0.005)
    assert psnr.verdict == "same"


def test_a_difference_that_no_table_shows_is_none() -> None:
    for lower, verdict in ((0.004, "same"), (0.006, "regression")):
        one = np.full((3, 1), 25.0)
        (psnr,) = compare_baselines(results({"psnr": one}), results({"psnr": one - lower})).outcomes
        assert (psnr.verdict, psnr.p_value, psnr.tolerance) == (verdict, None, 0.005)
        several = np.full((3, 4), 25.0)
        (psnr, _) = compare_baselines(results({"psnr": several}), results({"psnr": several - lower})).outcomes
        assert psnr.verdict == verdict


def test_a_spread_that_no_table_shows_is_none() -> None:
    noise = np.random.default_rng(11).normal(size=(40, 10))
    for width, verdict in ((1e-5, "same"), (1e-2, "regression")):
        base, new = results({"psnr": 25 + width * noise}), results({"psnr": 25 + 1.6 * width * noise})
        assert verdicts(compare_baselines(base, new))["psnr g-std"] == verdict


def test_a_ratio_must_hold_beyond_a_single_image() -> None:
    still = {"psnr": np.full((4, 3), 25.0)}
    for l_std, verdict in (([0.01, 0.01, 0.01, 0.02], "same"), ([0.0125] * 4, "regression")):
        comparison = compare_baselines(results(still, [0.01] * 4), results(still, l_std))
        outcome = comparison.outcomes[-1]
        assert outcome.change == pytest.approx(1.25)
        assert outcome.change > outcome.tolerance
        assert outcome.verdict == verdict


def test_asked_tolerances_are_granted() -> None:
    generator = np.random.default_rng(7)
    base, new = drawn(generator, 100, 10), drawn(generator, 100, 10, lower=0.5, wider=1.3)
    assert {"psnr", "psnr g-std", "l-std"} < {outcome.name for outcome in compare_baselines(base, new).regressions}
    asked = {"psnr": 0.8, "g-std": 1.5, "l-std": 1.5}
    assert compare_baselines(base, new, tolerances=asked).regressions == ()
    # Seed noise is tolerated even where less was asked for.
    less = compare_baselines(base, new, tolerances={"psnr": 1e-9, "l-std": 1.0}).outcomes
    assert [outcome.tolerance for outcome in less] == [
        outcome.tolerance for outcome in compare_baselines(base, new).outcomes
    ]
    with pytest.raises(BenchError, match=r"unknown quantity 'pnsr': did you mean psnr\? \(in `tolerances`\)"):
        compare_baselines(base, new, tolerances={"pnsr": 1.0})


def test_a_method_that_begins_to_vary_is_found() -> None:
    still = results({"psnr": np.full((6, 4), 25.0)}, [0.0] * 6)
    assert set(verdicts(compare_baselines(still, still)).values()) == {"same"}
    noise = np.random.default_rng(8).normal(0, 0.1, (6, 4))
    moving = results({"psnr": 25 + noise - noise.mean(axis=1, keepdims=True)}, [0.01] * 6)
    there = compare_baselines(still, moving)
    assert [outcome.name for outcome in there.regressions] == ["psnr g-std", "l-std"]
    assert there.outcomes[1].change == np.inf
    assert verdicts(compare_baselines(moving, still)) == {"psnr": "same", "psnr g-std": "better", "l-std": "better"}


def test_distances_of_sets_are_judged_by_their_runs() -> None:
    scores = {"psnr": np.random.default_rng(9).normal(25, 1, (6, 10))}
    distances = list(np.random.default_rng(10).normal(80, 0.3, 20))
    base = results(scores, distances={"fid": distances[:10]})
    assert verdicts(compare_baselines(base, results(scores, distances={"fid": distances[10:]})))["fid"] == "same"
    worse = compare_baselines(base, results(scores, distances={"fid": [value + 2 for value in distances[10:]]}))
    assert [outcome.name for outcome in worse.regressions] == ["fid"]


def test_images_are_matched_by_name() -> None:
    base = results({"psnr": np.array([[0.0, 1], [0, 2], [0, 4], [0, 8]])}, [0.01, 0.02, 0.03, 0.04])
    scores = {"psnr": dict(reversed(base.scores["psnr"].items()))}
    new = msgspec.structs.replace(base, scores=scores, l_std=dict(reversed(base.l_std.items())))
    comparison = compare_baselines(base, new)
    assert all(
        outcome.p_value in (None, 1.0) and outcome.interval in (None, (1.0, 1.0)) for outcome in comparison.outcomes
    )


SCORES = {"psnr": np.full((4, 3), 25.0), "ssim": np.full((4, 3), 0.7)}


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (results(SCORES, dataset="theirs"), "the data set of `base` is 'own', of `new` 'theirs'"),
        (results(SCORES, protocol="ccsr-v1"), "the protocol of `base` is 'paper', of `new` 'ccsr-v1'"),
        (results(SCORES, definitions={"ssim": "another"}), 'ssim is "ssim as ever" in `base` and "another" in `new`'),
        (
            results(SCORES, [0.1] * 4, definitions={"l-std": "crop 4"}),
            'l-std is "l-std as ever" in `base` and "crop 4"',
        ),
        (results({"psnr": SCORES["psnr"]}), "`new` has no ssim; run it again with ssim among its metrics"),
        (results({k: v[:3] for k, v in SCORES.items()}), "`new` lacks 1 of the images: image3"),
        (results({k: np.full((6, 3), 1.0) for k in SCORES}), "`base` lacks 2 of the images: image4, image5"),
        (
            results(SCORES, pixels="others"),
            "4 images with other pixels in `new` than in `base`: image0, image1",
        ),
        (results({k: v[:, :2] for k, v in SCORES.items()}), "`new` has N = 2 and `base` 3"),
        (results({k: v[:, :1] for k, v in SCORES.items()}), "`new` has N = 1 and `base` 3"),
    ],
)
def test_what_is_not_comparable_is_named(other: Baseline, named: str) -> None:
    with pytest.raises(BenchError) as error:
        compare_baselines(results(SCORES, [0.1] * 4), other)
    assert f"not comparable: {named}" in str(error.value)


def test_metrics_can_be_chosen() -> None:
    base = results(SCORES, [0.1] * 4)
    new = results({"psnr": SCORES["psnr"]}, [0.1] * 4, definitions={"ssim": "another"})
    assert [outcome.name for outcome in compare_baselines(base, new, metrics=["psnr"]).outcomes] == [
        "psnr",
        "psnr g-std",
        "l-std",
    ]
    with pytest.raises(BenchError, match="unknown metric 'pnsr': did you mean psnr"):
        compare_baselines(base, new, metrics=["pnsr"])


def test_a_gate_that_could_never_fire_is_refused() -> None:
    few = results({"psnr": np.full((1, 5), 25.0)})
    with pytest.raises(BenchError, match="with 5 values of psnr no difference is ever significant among 1 metric;"):
        compare_baselines(few, few)
    enough = results({"psnr": np.full((1, 6), 25.0)})
    assert compare_baselines(enough, enough).regressions == ()
    worse = results({"psnr": np.full((1, 6), 24.0)})
    assert compare_baselines(enough, worse).regressions
