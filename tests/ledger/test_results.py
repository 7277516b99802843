from __future__ import annotations

from argparse import Namespace
from typing import Any, cast

import numpy as np

from ccsr_bench.ledger.results import Results, Scores, on_common_images


def test_common_images_keep_the_order_of_the_first_method_and_the_values_of_each() -> None:
    first = Scores(("d", "a", "c", "b"), np.array([[4.0, 40], [1, 10], [3, 30], [2, 20]]))
    second = Scores(("a", "b", "d", "e"), np.array([-1.0, -2, -4, -5]))
    ours, theirs = on_common_images([first, second])
    assert ours.images == theirs.images == ("d", "a", "b")
    assert ours.values.tolist() == [[4, 40], [1, 10], [2, 20]]
    assert theirs.values.tolist() == [-4, -1, -2]
    (alone,) = on_common_images([first])
    assert alone.images == first.images
    none = on_common_images([first, Scores(("z",), np.array([0.0]))])
    assert [len(scores.values) for scores in none] == [0, 0]


def of_sessions(*sessions: dict[str, object]) -> Any:
    """Return a substitute for results whose outputs were generated in the given sessions."""
    ledger = Namespace(generating_sessions=lambda: sessions, sessions=dict(enumerate(sessions)))
    return cast(Results, Namespace(ledger=ledger))


def test_machines_are_named_once_and_processors_with_their_threads() -> None:
    cpu: dict[str, object] = {"device": "cpu", "processor": "EPYC", "threads": 8}
    gpu: dict[str, object] = {"device": "cuda:0", "processor": "H100", "threads": 8}
    results = of_sessions(cpu, gpu, cpu, {**cpu, "threads": 4})
    assert Results.machines(results) == ["EPYC with 8 threads", "H100", "EPYC with 4 threads"]


def test_versions_are_named_once_with_their_commits() -> None:
    packages = {"ccsr-bench": "0.1.0"}
    clean: dict[str, object] = {"packages": packages, "code": {"commit": "0123456789abcdef", "dirty": False}}
    changed: dict[str, object] = {"packages": packages, "code": {"commit": "0123456789abcdef", "dirty": True}}
    released: dict[str, object] = {"packages": {"ccsr-bench": "0.2.0"}, "code": {}}
    assert Results.version(of_sessions(clean, clean)) == "ccsr-bench 0.1.0 at 012345678"
    assert Results.version(of_sessions(clean, changed, released)) == (
        "ccsr-bench 0.1.0 at 012345678, ccsr-bench 0.1.0 at 012345678 with changes, ccsr-bench 0.2.0"
    )
