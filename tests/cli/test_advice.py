"""The arguments that errors name become the options of the verb."""

from __future__ import annotations

import argparse

import pytest

from ccsr_bench.cli.advice import with_options
from ccsr_bench.cli.main import build_parser


@pytest.mark.parametrize(
    ("verb", "message", "expected"),
    [
        ("run", "`compiled`: leave it out, or give another `out`", "--compile: leave it out, or give another --out"),
        ("run", "leave out `methods` and `datasets`", "leave out --method and --dataset"),
        ("table", "leave out `method` and `datasets`", "leave out --method and --dataset"),
        ("compare", "`tolerances` names ssim, which is not in `base`", "--tolerance names ssim, which is not in BASE"),
        ("export", "choose the format with `form`", "choose the format with --format"),
        ("figure", "give another `region`", "give another --crop"),
        ("prepare", "`source` is for one method", "--source is for one method"),
        ("prepare", "own.toml: unknown field `source`", "own.toml: unknown field `source`"),
        ("prepare", "`run` needs it", "`run` needs it"),
    ],
)
def test_arguments_become_options(verb: str, message: str, expected: str) -> None:
    assert with_options(message, _parser(verb)) == expected


def test_without_a_verb_nothing_is_replaced() -> None:
    assert with_options("give another `out`", None) == "give another `out`"


def _parser(verb: str) -> argparse.ArgumentParser:
    actions = build_parser(verb)._actions
    choices = next(action.choices for action in actions if isinstance(action, argparse._SubParsersAction))
    parser: argparse.ArgumentParser = choices[verb]
    return parser
