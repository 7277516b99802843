"""Downloads one archive from the package index that pip is configured for: a script for an interpreter that has pip.

    python index_client.py NAME FILE TARGET

Nothing is installed or built: pip itself cannot download an sdist without running its setup.py, so of pip only its
command line, its configuration and its session are used, as pip-tools does. They know the index, mirrors, proxies,
certificates and credentials. This runs on every version of pip from 22.0 on.

Each line on stdout is a JSON object: ``{"received": BYTES, "total": BYTES}`` during the download, and at the end
``{"failed": REASON}`` where the archive could not be downloaded.
"""

from __future__ import annotations

import html.parser
import json
import re
import sys
import urllib.parse
from pathlib import Path
from typing import Any, NamedTuple

_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_BLOCK = 1 << 18


class _File(NamedTuple):
    """One file that a page of an index lists."""

    name: str
    address: str
    withdrawn: str | None
    """Reason of a withdrawal; None where the file is not withdrawn."""


class _Links(html.parser.HTMLParser):
    """Collects the links of a page (PEP 503)."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes of a link."""
        if tag == "a":
            self.links.append(dict(attrs))


def _listed(response: Any) -> list[_File]:
    """Return the files that a page lists, as JSON (PEP 691) or HTML."""
    files: list[tuple[str, str | None]] = []
    if "json" in response.headers.get("Content-Type", ""):
        for file in response.json()["files"]:
            yanked = file.get("yanked", False)
            files.append((file["url"], (yanked if isinstance(yanked, str) else "") if yanked else None))
    else:
        page = _Links()
        page.feed(response.text)
        files = [(link.get("href") or "", _reason_of_withdrawal(link)) for link in page.links]
    listed = []
    for address, withdrawn in files:
        absolute = urllib.parse.urljoin(response.url, address).partition("#")[0]
        name = urllib.parse.unquote(urllib.parse.urlsplit(absolute).path.rpartition("/")[2])
        listed.append(_File(name, absolute, withdrawn))
    return listed


def _reason_of_withdrawal(link: dict[str, str | None]) -> str | None:
    return link["data-yanked"] or "" if "data-yanked" in link else None


def _pages(options: Any, name: str) -> list[str]:
    """Return the addresses of the pages and folders that pip would search for a package."""
    project = re.sub(r"[-_.]+", "-", name).lower()
    indexes = [] if options.no_index else [options.index_url, *options.extra_index_urls]
    return [*options.find_links, *(f"{index.rstrip('/')}/{project}/" for index in indexes)]


def _local_folder(page: str) -> Path | None:
    """Return the folder that an address means; None for an address on the web."""
    scheme, _, path, _, _ = urllib.parse.urlsplit(page)
    if scheme == "file":
        return Path(urllib.parse.unquote(path))
    return None if scheme in ("http", "https") else Path(page)


def _find(session: Any, page: str, file: str) -> _File | None:
    """Look a file up on one page or in one folder; raises an OSError if the page cannot be read."""
    folder = _local_folder(page)
    if folder is not None:
        path = folder / file
        if path.is_file():
            return _File(file, path.as_uri(), None)
        if not (folder / "index.html").is_file():
            return None
        page = (folder / "index.html").as_uri()
    response = session.get(page, headers={"Accept": _ACCEPT, "Cache-Control": "max-age=0"})
    if response.status_code == 404:
        return None
    response.raise_for_status()
    return next((listed for listed in _listed(response) if listed.name == file), None)


def _download(session: Any, address: str, target: Path) -> None:
    response = session.get(address, headers={"Accept-Encoding": "identity"}, stream=True)
    response.raise_for_status()
    total, received = int(response.headers.get("Content-Length") or 0), 0
    with target.open("wb") as file:
        for block in response.iter_content(_BLOCK):
            file.write(block)
            received += len(block)
            _say(received=received, total=total)


def _say(**content: object) -> None:
    sys.stdout.write(f"{json.dumps(content)}\n")
    sys.stdout.flush()  # the parent process shows the progress


def _search(session: Any, options: Any, name: str, file: str, target: Path) -> str:
    """Download a file from the first place that has it, and return the reason where none does."""
    reasons = []
    for page in _pages(options, name):
        try:
            found = _find(session, page, file)
            if found is None:
                continue
            if found.withdrawn is not None:
                reasons.append(f"withdrawn by its publishers: {found.withdrawn or 'no reason given'}")
                continue
            _download(session, found.address, target)
        except Exception as error:  # pip vendors the library whose errors these are
            reasons.append(f"{_host(page)}: {_reason(error)}")
        else:
            return ""
    return "; ".join(reasons) or f"no configured package index has {file}"


def _host(page: str) -> str:
    return urllib.parse.urlsplit(page).hostname or page


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    return (
        "not reachable" if "Connect" in type(error).__name__ else " ".join(f"{type(error).__name__}: {error}".split())
    )


def main(arguments: list[str]) -> None:
    """Download one archive."""
    from pip._internal.commands import create_command  # exists on the interpreter that runs this script

    name, file, target, *settings = arguments
    command = create_command("download")
    options, _ = command.parse_args([*settings, name])
    with command.main_context():
        session = command.get_default_session(options)  # type: ignore[attr-defined]
        reason = _search(session, options, name, file, Path(target))
    if reason:
        _say(failed=reason)


if __name__ == "__main__":
    main(sys.argv[1:])
