from __future__ import annotations

import pytest
import torch

from ccsr_bench.errors import BenchError, MetricUnavailableError
from ccsr_bench.metrics.catalogue import METRICS, PROTOCOLS, build_metric, build_metrics, find_metric, find_protocol

CPU = torch.device("cpu")


def test_default_metrics_that_cannot_be_had_are_skipped_with_the_reason() -> None:
    built, skipped = build_metrics(None, find_protocol("paper"), CPU)
    assert set(built) == {"psnr", "ssim"}
    assert "prepare --metrics" in skipped["niqe"]


def test_metric_asked_for_by_name_must_be_had() -> None:
    with pytest.raises(MetricUnavailableError):
        build_metrics(["psnr", "niqe"], find_protocol("paper"), CPU)


def test_unknown_names_give_near_names() -> None:
    with pytest.raises(BenchError, match="unknown metric 'pnsr': did you mean psnr"):
        find_metric("pnsr")
    with pytest.raises(BenchError, match="unknown protocol 'papr': did you mean paper"):
        find_protocol("papr")


@pytest.mark.parametrize("name", ["psnr", "ssim"])
def test_protocols_are_different_definitions(name: str) -> None:
    definitions = {build_metric(name, protocol, CPU).definition for protocol in PROTOCOLS.values()}
    assert len(definitions) == len(PROTOCOLS)


def test_protocol_options_name_metrics_that_exist() -> None:
    for protocol in PROTOCOLS.values():
        assert protocol.options.keys() <= METRICS.keys()
