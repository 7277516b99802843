from __future__ import annotations

import math

import numpy as np
import pytest

from ccsr_bench.stability import g_std, spread
from ccsr_bench.statistics import run_counts
from ccsr_bench.statistics.bootstrap import bootstrap_interval
from ccsr_bench.statistics.run_counts import g_std_by_runs, normal_share


def test_all_runs_give_the_g_std_itself_and_few_runs_what_theory_says() -> None:
    scores = np.random.default_rng(0).normal(20, 2, (300, 10))
    counts = {count.runs: count for count in g_std_by_runs(scores)}
    assert list(counts) == list(range(2, 11))
    assert counts[10].g_std == pytest.approx(g_std(scores))
    # E|x1 - x2| / 2 of two normal values is sigma / sqrt(pi).
    assert counts[2].g_std == pytest.approx(2 / math.sqrt(math.pi), rel=0.02)
    widths = [count.interval.high - count.interval.low for count in counts.values()]
    assert widths[-1] < widths[0]
    assert all(count.interval.low < count.g_std < count.interval.high for count in counts.values())


def test_a_deterministic_method_has_none_at_any_number() -> None:
    counts = g_std_by_runs(np.repeat(np.arange(6.0)[:, None], 4, axis=1))
    assert [(count.g_std, count.interval) for count in counts] == [(0, (0, 0))] * 3


def test_few_runs_of_normal_scores_give_the_share_that_theory_says() -> None:
    counts = g_std_by_runs(np.random.default_rng(1).normal(0, 1, (400, 10)))
    for count in counts:
        assert count.g_std / counts[-1].g_std == pytest.approx(normal_share(count.runs, 10), rel=0.01)
    # Of two values the standard deviation is half their distance, 1 / sqrt(pi) of sigma on average.
    assert normal_share(2, 1_000_000) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-5)


def test_the_interval_over_all_runs_is_that_of_other_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_counts, "DRAWS", 4000)
    scores = np.random.default_rng(2).normal(0, 1, (40, 2))
    expected = bootstrap_interval(spread(scores))
    assert expected is not None
    (count,) = g_std_by_runs(scores)
    assert count.interval == pytest.approx(expected, abs=0.05 * (expected.high - expected.low))
