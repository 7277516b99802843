"""A page for every verb of the command line, from its parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ccsr_bench.cli.main import VERBS, build_parser
from generate.markdown import code, page, table

FOLDER = "reference/command-line"
WIDTH = 72
"""Columns of the usage lines."""


def pages() -> dict[str, str]:
    """Return the page of every verb, and their index."""
    found = {f"{FOLDER}/{verb}.md": verb_page(verb) for verb in VERBS}
    return {f"{FOLDER}/index.md": _index(), **found}


def verb_page(verb: str) -> str:
    """Return the page of one verb."""
    parser = _choices(build_parser(verb))[verb]
    kinds = [
        page(f"## `{parser.prog.split()[-1]} {name}`", _reference(sub, "###")) for name, sub in _choices(parser).items()
    ]
    examples, note = _split_epilog(parser.epilog or "")
    return page(
        f"# {verb}",
        parser.description or "",
        "## Examples" if examples else "",
        code(examples, "bash") if examples else "",
        note,
        _reference(parser, "##"),
        *kinds,
    )


def _index() -> str:
    rows = [[f"[`{verb}`]({verb}.md)", f"{summary[0].upper()}{summary[1:]}."] for verb, summary in VERBS.items()]
    parser = build_parser(None)
    return page(
        "# Command line",
        f"{parser.description} Every verb prints its options and examples with `--help`.",
        table(["Verb", "What it does"], rows),
        "## Exit codes",
        table(
            ["Code", "Meaning"],
            [
                ["0", "The command did what was asked."],
                ["1", "A check that was asked for failed: `compare`, `verify` or `test-method`."],
                ["2", "The command could not be carried out as given. One line on stderr says why and what to do."],
                ["3", "The command finished, and failures of single images are recorded."],
                ["130", "The command was interrupted. What was recorded is kept."],
            ],
        ),
    )


def _reference(parser: argparse.ArgumentParser, heading: str) -> str:
    """Return the usage and the tables of a parser's options."""
    formatter = argparse.RawDescriptionHelpFormatter(parser.prog, width=WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)
    groups = [
        page(
            f"{heading} {(group.title or '')[:1].upper()}{(group.title or '')[1:]}",
            table(["Argument", "Meaning"], rows),
        )
        for group in parser._action_groups
        if (rows := list(_rows(group, formatter)))
    ]
    return page(f"{heading} Usage", code(formatter.format_help()), *groups)


def _rows(group: argparse._ArgumentGroup, formatter: argparse.HelpFormatter) -> Iterator[list[str]]:
    for action in group._group_actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield [f"`{choice.dest}`", _text(choice.help or "")]
            continue
        yield [f"`{_invocation(action, formatter)}`", _text(formatter._expand_help(action) if action.help else "")]


def _invocation(action: argparse.Action, formatter: argparse.HelpFormatter) -> str:
    """Return an argument as the usage writes it, with what may follow it."""
    if not action.option_strings:
        return formatter._format_args(
            action, action.dest if action.choices is None else f"{{{','.join(action.choices)}}}"
        )
    return formatter._format_action_invocation(action)


def _text(help_text: str) -> str:
    """Return a help text on one line."""
    return " ".join(help_text.split())


def _split_epilog(epilog: str) -> tuple[str, str]:
    """Return the example commands of an epilog, and the sentences below them."""
    lines = epilog.splitlines()[1:]
    commands = [line.strip() for line in lines if line.startswith(" ")]
    sentences = [line.strip() for line in lines if not line.startswith(" ")]
    return "\n".join(commands), " ".join(sentences)


def _choices(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of a parser's verbs; none where it has no verbs."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
