from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from ccsr_bench.seeds import seed


def test_is_the_documented_function() -> None:
    digest = hashlib.sha256(b"0/RealSR/Canon_001_LR4/3").hexdigest()
    assert seed("RealSR", "Canon_001_LR4", 3) == int(digest[:16], 16) // 2


@given(st.text(), st.text(), st.integers(0, 99), st.integers(0, 9))
def test_fits_in_63_bits(dataset: str, image: str, run: int, base_seed: int) -> None:
    assert 0 <= seed(dataset, image, run, base_seed=base_seed) < 2**63


def test_every_part_of_the_key_counts() -> None:
    values = {
        seed("a", "b", 0),
        seed("b", "b", 0),
        seed("a", "c", 0),
        seed("a", "b", 1),
        seed("a", "b", 0, base_seed=1),
    }
    assert len(values) == 5
