"""Running commands as a user does."""

from __future__ import annotations

import re

import pytest

from ccsr_bench.cli import main

Capture = pytest.CaptureFixture[str]


def mistake(capsys: Capture, *arguments: object) -> str:
    """Run a command that must end in one clear line and exit code 2; return the line."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    beside = re.compile(r"^(skipping |(\S+ on \S+|report): \d+/\d+ \()")  # remarks and progress
    lines = [line for line in output.err.splitlines() if not beside.match(line)]
    assert len(lines) == 1, output.err
    assert lines[0].startswith("ccsr-bench: ")
    assert "Traceback" not in output.err
    return lines[0]


def done(arguments: list[object]) -> None:
    """Run a command that must succeed."""
    assert main([str(a) for a in arguments]) == 0
