"""A package index on loopback, and archives for it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"


@dataclass
class Index:
    """The contents of an index, and what it was asked for."""

    address: str = ""
    kind: str = JSON
    """Content type of its pages."""
    archives: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Package -> file name -> content."""
    withdrawn: dict[str, str] = field(default_factory=dict)
    """File name -> reason of its withdrawal."""
    asked: list[str] = field(default_factory=list)
    """Paths that were asked for, in order."""

    def page(self, package: str) -> bytes:
        """Return the page of a package, with links relative to it."""
        names = self.archives[package]
        if self.kind == JSON:
            files: list[dict[str, object]] = [
                {
                    "filename": name,
                    "url": f"../../files/{name}",
                    "hashes": {},
                    "yanked": self.withdrawn.get(name, False),
                }
                for name in names
            ]
            return json.dumps({"meta": {"api-version": "1.0"}, "name": package, "files": files}).encode()
        links = [f'<a href="../../files/{name}#sha256=0"{self._yanked(name)}>{name}</a>' for name in names]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def _yanked(self, name: str) -> str:
        return f' data-yanked="{self.withdrawn[name]}"' if name in self.withdrawn else ""


@contextlib.contextmanager
def serving(index: Index) -> Iterator[Index]:
    """Serve an index on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            parts = self.path.strip("/").split("/")
            content, kind = b"", index.kind
            if parts[0] == "simple" and parts[1] in index.archives:
                content = index.page(parts[1])
            elif parts[0] == "files":
                kind = "application/octet-stream"
                content = next((files[parts[1]] for files in index.archives.values() if parts[1] in files), b"")
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        index.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield index
        server.shutdown()
        thread.join()


def wheel(members: Mapping[str, bytes], links: Mapping[str, str] = {}) -> bytes:
    """Return a wheel with members, and with symbolic links as (path -> target)."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            archive.writestr(path, data)
        for path, target in links.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, target)
    return content.getvalue()


def sdist(members: Mapping[str, bytes], links: Mapping[str, str] = {}, *, hard: bool = False) -> bytes:
    """Return an sdist with members, and with symbolic or hard links as (path -> target)."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path, data in members.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for path, target in links.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = (tarfile.LNKTYPE if hard else tarfile.SYMTYPE), target
            archive.addfile(entry)
    return content.getvalue()


def sha256(content: bytes) -> str:
    """Return the sha256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def use_index(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let pip know one index only, and nothing of this machine's configuration."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
