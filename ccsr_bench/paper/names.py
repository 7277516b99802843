"""The methods that the rows of the paper's tables stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from ccsr_bench.methods.registry import MethodSpec

_BY_STEPS = re.compile(r"CCSR\((\d+),(\d+)\)\Z")
_BY_TIMES = re.compile(r"CCSR\((\d/\d),(\d/\d),(\d+)\)\Z")
_VERSION = re.compile(r"-v\d+(?=-S\d)")

STANDARD = (6, Fraction(2, 3), Fraction(1, 2))
"""T, t_max and t_min of CCSR-S2, which Tables II and III vary."""


class Setting(NamedTuple):
    """A row of Table II, ``CCSR(T,S)``, or of Table III, ``CCSR(t_max,t_min,S)``."""

    steps_of_axis: int
    """T: number of steps of the whole time axis."""
    t_max: Fraction
    t_min: Fraction
    printed_steps: int
    """S as the paper prints it."""

    @property
    def steps(self) -> int:
        """S by the paper's formula: the jump from the last timestep, and the T steps between t_max and t_min."""
        return 1 + round(self.steps_of_axis * self.t_max) - round(self.steps_of_axis * self.t_min)


def read_setting(name: str) -> Setting | None:
    """Return the setting in a row's name; None for names without one."""
    _, t_max, t_min = STANDARD
    if match := _BY_STEPS.match(name):
        return Setting(int(match[1]), t_max, t_min, int(match[2]))
    if match := _BY_TIMES.match(name):
        return Setting(STANDARD[0], Fraction(match[1]), Fraction(match[2]), int(match[3]))
    return None


def corrected_name(name: str) -> str:
    """Return a row's name with the number of steps that follows from its setting."""
    setting = read_setting(name)
    return name if setting is None else f"{name.rpartition(',')[0]},{setting.steps})"


def variants_of(name: str, methods: Mapping[str, MethodSpec]) -> list[str]:
    """Return the names of the methods that a row of the paper stands for; several where its version is not printed.

    A setting stands for the CCSR variant with its parameters, whatever the variant's name is. Any other name is a
    title; ``V1`` stands for CCSR-V1, and DiffBIR-S50 for both versions.

    Args:
        name: Name of the row, as printed.
        methods: Methods by name.
    """
    setting = read_setting(name)
    if setting is None:
        titles = {name, f"CCSR-{name}"}
        return [
            key
            for key, spec in methods.items()
            if (spec.variant.paper_row or _VERSION.sub("", spec.variant.title)) in titles
        ]
    standard = next((spec.variant for spec in methods.values() if spec.variant.title == "CCSR-S2"), None)
    times = {
        "num_inference_steps": setting.steps_of_axis,
        "t_max": round(float(setting.t_max), 4),
        "t_min": round(float(setting.t_min), 4),
    }
    return [
        key
        for key, spec in methods.items()
        if standard is not None
        and spec.variant.weights == standard.weights
        and spec.variant.parameters == {**standard.parameters, **times}
    ]


def stand_ins(name: str, methods: Mapping[str, MethodSpec], paired: Mapping[str, str]) -> list[str]:
    """Return the names of the methods whose results are shown as a row of the paper.

    Args:
        name: Name of the row, as printed.
        methods: Methods by name.
        paired: Name of a method -> printed name of the row that the user pairs it with, which replaces its own row.
    """
    own = [method for method in variants_of(name, methods) if method not in paired]
    return [*own, *(method for method, row in paired.items() if row == name)]


def common_name(name: str, methods: Mapping[str, MethodSpec]) -> str:
    """Return the common name of all printed names of a method: its title in this benchmark, where it has one."""
    titles = {methods[method].variant.title for method in variants_of(name, methods)}
    return titles.pop() if len(titles) == 1 else name
