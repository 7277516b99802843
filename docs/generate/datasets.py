"""A page for every data set that ships with ccsr-bench, from its manifest."""

from __future__ import annotations

import msgspec

from ccsr_bench.datasets.loading import DatasetManifest, manifest_paths, read_manifest
from generate.markdown import facts, link, page, table

FOLDER = "reference/datasets"

HOW = {
    "files": "single files, each checked against the sha256 in the manifest",
    "archive": "a zip archive on the Hugging Face Hub; the sha256 of every image is recorded when it is installed",
    "crops": "photographs that ship with ccsr-bench: nothing is downloaded",
    "folder": "folders on this machine",
}


def pages() -> dict[str, str]:
    """Return the page of every data set, and their index."""
    manifests = [read_manifest(name) for name in manifest_paths()]
    found = {f"{FOLDER}/{manifest.name}.md": _dataset_page(manifest) for manifest in manifests}
    return {f"{FOLDER}/index.md": _index(manifests), **found}


def _index(manifests: list[DatasetManifest]) -> str:
    rows = [
        [f"[{manifest.name}]({manifest.name}.md)", str(manifest.images), f"x{manifest.scale}", manifest.title]
        for manifest in manifests
    ]
    return page(
        "# Data sets",
        "The data sets that ship with ccsr-bench. `ccsr-bench list datasets` also says which are installed; "
        "[how to use your own images](../../how-to/add-dataset.md).",
        table(["Name", "Images", "Scale", "Title"], rows),
    )


def _dataset_page(manifest: DatasetManifest) -> str:
    source = msgspec.to_builtins(manifest.source)
    needs_download = source["kind"] in ("files", "archive")
    return page(
        f"# {manifest.name}",
        f"{manifest.title}.",
        facts(
            [
                ("Images", str(manifest.images)),
                ("Scale", f"x{manifest.scale}"),
                ("Licence", manifest.licence),
                ("Citation", manifest.citation),
                ("Home page", link(manifest.homepage) if manifest.homepage else ""),
                ("Comes as", HOW[source["kind"]]),
                ("Fetched from", _origin(source)),
                ("In the paper's tables", manifest.paper_name),
            ]
        ),
        f"`ccsr-bench prepare --dataset {manifest.name}` installs it; `--from DIR` takes a local copy."
        if needs_download
        else "It is ready to use.",
        _folders(manifest),
    )


def _origin(source: dict[str, object]) -> str:
    if source["kind"] == "archive":
        return f"Hugging Face data set {source['repository']} at {source['revision']}, file `{source['file']}`"
    addresses = source.get("addresses", [])
    assert isinstance(addresses, list)
    return "<br>".join(map(link, addresses))


def _folders(manifest: DatasetManifest) -> str:
    if not manifest.files:
        return ""
    rows = [[f"`{folder}`", str(len(files))] for folder, files in manifest.files.items()]
    return page("## Files with a known sha256", table(["Folder", "Files"], rows))
