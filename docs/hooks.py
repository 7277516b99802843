"""What MkDocs runs: adds the generated pages and puts them into the navigation."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from generate import all_pages


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace each folder of the navigation by the generated pages in it."""
    config.nav = _expand(config.nav or [], list(all_pages()))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for uri, content in all_pages().items():
        files.append(File.generated(config, uri, content=content))
    return files


def _expand(entry: Any, uris: list[str]) -> Any:
    if isinstance(entry, list):
        return [_expand(part, uris) for part in entry]
    if isinstance(entry, dict):
        return {title: _expand(part, uris) for title, part in entry.items()}
    if entry.endswith("/"):
        return [uri for uri in uris if uri.startswith(entry)]
    return entry
