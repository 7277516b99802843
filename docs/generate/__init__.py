"""Pages of the documentation that are generated from the command line, the catalogues and the manifests."""

from __future__ import annotations

import functools

from generate import api, command_line, datasets, methods, metrics, project, verified


@functools.cache
def all_pages() -> dict[str, str]:
    """Return the Markdown of every generated page, by its path below ``docs``."""
    return {
        **command_line.pages(),
        **metrics.pages(),
        **methods.pages(),
        **datasets.pages(),
        **verified.pages(),
        **api.pages(),
        **project.pages(),
    }
