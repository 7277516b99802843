"""Reads the examples of Markdown pages, and runs them as a reader would.

- A ``console`` block is a session: lines that start with ``$`` are commands, and the lines below are what they print.
- A ``bash`` block has commands alone.
- A ``python`` block is run in one namespace for each page, an ``sql`` block on `LEDGER`. What it prints stands in a
  ``text`` block directly below.

``...`` stands for any text. A comment above a block says what is special about it: ``<!-- example: not run, WHY -->``,
``<!-- example: needs RealSR -->`` or ``<!-- example: exit 1 -->``.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccsr_bench.cli import main

LEDGER = Path("results/sample/bicubic-dither/ledger.sqlite")
SHELL_PROGRAMS = {"cp", "sed"}
"""What examples may call beside ccsr-bench; anything else has to be marked as not run."""

_BLOCK = re.compile(
    r"(?:<!-- example: (?P<mark>[^>]*) -->\s*\n)?"
    r"^```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^```$"
    r"(?:\n\n^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)

_SESSION = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
"""A command, which a backslash continues on the next line, and what it prints."""


@dataclass(frozen=True)
class Example:
    """One block of a page."""

    language: str
    code: str
    output: str | None
    """The contents of the block of text directly below."""
    mark: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether it can be run anywhere."""
        return not self.mark.startswith("not run") and not self.needs_realsr

    @property
    def needs_realsr(self) -> bool:
        """Whether it can be run where RealSR is installed."""
        return self.mark == "needs RealSR"

    @property
    def exit_code(self) -> int:
        """The exit code of its last command."""
        return int(self.mark.removeprefix("exit ")) if self.mark.startswith("exit ") else 0


def read_examples(page: Path) -> list[Example]:
    """Return all blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Example(
            found["language"],
            found["code"],
            found["output"],
            found["mark"] or "",
            text.count("\n", 0, found.start("language")) + 1,
        )
        for found in _BLOCK.finditer(text)
    ]


class Runner:
    """Runs the examples of one page in the current folder.

    Args:
        capture: The fixture that captures what commands print.
    """

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._names: dict[str, object] = {}

    def run(self, example: Example) -> None:
        """Run one example and check what it prints."""
        if example.language in ("bash", "console"):
            for command, expected, last in _commands(example):
                code, printed = self._call(command)
                assert code == (example.exit_code if last else 0), f"line {example.line}: {command}"
                _check(expected, printed, f"line {example.line}: {command}")
        elif example.language == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(example.code, f"line {example.line}", "exec"), self._names)
            _check(example.output, output.getvalue(), f"line {example.line}")
        elif example.language == "sql":
            _check(example.output, _query(example.code), f"line {example.line}")

    def _call(self, command: str) -> tuple[int, str]:
        program, *arguments = shlex.split(os.path.expandvars(command), comments=True)
        if program == "ccsr-bench":
            self._capture.readouterr()
            code = main(arguments)
            return code, self._capture.readouterr().out
        assert program in SHELL_PROGRAMS, f"{command}: mark this block as not run"
        done = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
        return done.returncode, done.stdout


def _commands(example: Example) -> Iterator[tuple[str, str | None, bool]]:
    """Yield each command, what it should print (None for anything), and whether it is the last one."""
    commands: list[tuple[str, str | None]]
    if example.language == "bash":
        lines = example.code.replace("\\\n", " ").splitlines()
        commands = [(line, None) for line in lines if line.strip() and not line.startswith("#")]
    else:
        parts = _SESSION.findall(example.code)
        commands = [(command.replace("\\\n", " "), printed) for command, printed in parts]
    for index, (command, expected) in enumerate(commands):
        yield command, expected, index == len(commands) - 1


def _query(statements: str) -> str:
    """Return what the `sqlite3` program prints."""
    with contextlib.closing(sqlite3.connect(LEDGER)) as connection:
        rows = [row for statement in statements.split(";") for row in connection.execute(statement)]
    return "".join("|".join(map(str, row)) + "\n" for row in rows)


def _check(expected: str | None, printed: str, where: str) -> None:
    """Compare as doctest does: ``...`` stands for anything, and white space does not count."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if expected is not None and not doctest.OutputChecker().check_output(expected, printed, options):
        pytest.fail(f"{where}\nexpected:\n{expected}\nprinted:\n{printed}")
