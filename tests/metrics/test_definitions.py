"""Definitions that version 0.1.0 recorded are those of this version where only the name of the weights changed."""

from __future__ import annotations

import pytest

from ccsr_bench.metrics.definitions import present_form

FORMER = (
    "LPIPS 0.1 on RGB x/255 standardised by ImageNet's mean and deviation, no resizing; no crop; AlexNet, float32 "
    "network (ccsr-bench); {}, LPIPS_v0.1_alex-df73285e.pth sha256 df73285e35b2"
)
FILE, TENSORS = "alexnet-owt-7be5be79.pth sha256 7be5be791159", "AlexNet features, tensors sha256 f73c95bb44a1"


def test_the_former_hash_of_a_file_is_the_hash_of_its_tensors() -> None:
    assert present_form(FORMER.format(FILE)) == FORMER.format(TENSORS)
    assert present_form(FORMER.format(TENSORS)) == FORMER.format(TENSORS)
    vgg = (
        "VGG16 with L2 pooling; vgg16-397923af.pth sha256 397923af8e79, DISTS_weights-f5e65c96.pth sha256 f5e65c96230b"
    )
    assert "VGG16 features, tensors sha256 9312c69c1c4c, DISTS_weights" in present_form(vgg)


@pytest.mark.parametrize(
    "definition",
    [
        FORMER.format("alexnet-owt-7be5be79.pth sha256 000000000000"),
        "MUSIQ on RGB; musiq_koniq_ckpt-e95806b9.pth sha256 e95806b9eae5",
        "NIQE by pyiqa 0.1.16 on Y of full-range YIQ; niqe_modelparameters.mat sha256 df16a821ebd0",
    ],
)
def test_other_weights_keep_their_words(definition: str) -> None:
    assert present_form(definition) == definition
