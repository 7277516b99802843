"""A page for every family of methods, from its manifest and its README."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ccsr_bench.methods.manifest import Isolated, MethodManifest, Weights
from ccsr_bench.methods.registry import MethodSpec, find_methods
from ccsr_bench.places import shipped
from generate.markdown import facts, link, page, source_text, table

FOLDER = "reference/methods"


def pages() -> dict[str, str]:
    """Return the page of every family, and their index."""
    families: dict[str, list[MethodSpec]] = {}
    for spec in _shipped():
        families.setdefault(spec.manifest.id, []).append(spec)
    found = {f"{FOLDER}/{name}.md": _family_page(specs) for name, specs in families.items()}
    return {f"{FOLDER}/index.md": _index(families), **found}


def _shipped() -> list[MethodSpec]:
    """Return the methods that ship with ccsr-bench, whatever others are installed here."""
    home = shipped("methods").resolve()
    return [spec for spec in find_methods().values() if home in spec.folder.resolve().parents]


def _index(families: dict[str, list[MethodSpec]]) -> str:
    rows = [
        [
            f"[{name}]({name}.md)",
            ", ".join(f"`{spec.name}`" for spec in specs),
            _way(specs[0].manifest),
            specs[0].manifest.title,
        ]
        for name, specs in families.items()
    ]
    return page(
        "# Methods",
        "The methods that ship with ccsr-bench. `ccsr-bench list methods` prints them, with those of your own; "
        "[how to add one](../../how-to/add-method.md).",
        table(["Family", "Names on the command line", "Runs", "Title"], rows),
    )


def _way(manifest: MethodManifest) -> str:
    if isinstance(manifest.environment, Isolated):
        return f"isolated, Python {manifest.environment.python}"
    return "in process"


def _family_page(specs: list[MethodSpec]) -> str:
    manifest = specs[0].manifest
    upstream = manifest.upstream
    readme = specs[0].folder / "README.md"
    return page(
        f"# {manifest.id}",
        f"{manifest.title}.",
        facts(
            [
                ("Paper", manifest.paper),
                ("Licence", manifest.licence),
                ("Official code", f"{link(upstream.repository)} at `{upstream.commit[:10]}`" if upstream else ""),
                ("Runs", _way(manifest)),
                ("Scale", f"x{manifest.scale}"),
                ("Outputs", "depend on the seed" if manifest.stochastic else "the same for every seed: runs once"),
            ]
        ),
        page("## Settings of the paper", manifest.paper_settings) if manifest.paper_settings else "",
        "## Variants",
        table(["Name", "Title", "Steps", "Parameters", "Weights"], map(_variant_row, specs)),
        _weights(manifest),
        _readme(readme) if readme.is_file() else "",
    )


def _variant_row(spec: MethodSpec) -> list[str]:
    variant = spec.variant
    return [
        f"`{spec.name}`",
        variant.title + (" (takes captions)" if variant.captioned else ""),
        str(variant.steps) if variant.steps else "none",
        "<br>".join(f"`{name} = {json.dumps(value)}`" for name, value in variant.parameters.items()),
        "<br>".join(f"{role}: {name}" for role, name in variant.weights.items()),
    ]


def _weights(manifest: MethodManifest) -> str:
    if not manifest.weights:
        return ""
    return page(
        "## Weights",
        f"`ccsr-bench prepare --method {next(iter(manifest.variants))}` fetches them from the first source that "
        "answers. A file without a published sha256 must stay what it was when it was first installed.",
        *(_folder(name, weights) for name, weights in manifest.weights.items()),
    )


def _folder(name: str, weights: Weights) -> str:
    sources = "\n".join(f"{number}. {source_text(source)}" for number, source in enumerate(weights.sources, 1))
    rows = [[f"`{file}`", f"`{sha256}`" if sha256 else "not published"] for file, sha256 in weights.files.items()]
    return page(
        f"### {name}", f"Licence: {weights.licence}. Sources, in order:", sources, table(["File", "sha256"], rows)
    )


def _readme(path: Path) -> str:
    """Return a family's README with its headings one level down."""
    return re.sub(r"^(#+ )", r"#\1", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
