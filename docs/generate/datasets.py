"""A page for every data set that ships with ccsr-bench, from its manifest."""

from __future__ import annotations

from ccsr_bench.datasets.manifest import (
    ArchiveSource,
    DatasetManifest,
    FilesSource,
    manifest_paths,
    read_manifest,
)
from generate.markdown import facts, link, page, table

FOLDER = "reference/datasets"


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
                ("In the paper's tables", manifest.paper_name),
            ]
        ),
        "## Installation",
        _installation(manifest),
        _folders(manifest),
    )


def _installation(manifest: DatasetManifest) -> str:
    source = manifest.source
    if isinstance(source, FilesSource):
        how = f"It fetches single files from {' or '.join(map(link, source.addresses))}."
    elif isinstance(source, ArchiveSource):
        how = (
            f"It fetches `{source.file}` from the Hugging Face data set {source.repository}, revision "
            f"`{source.revision}`, and records the sha256 of every image."
        )
    else:
        return "It comes with ccsr-bench and is ready to use."
    return f"`ccsr-bench prepare --dataset {manifest.name}` installs it; `--from DIR` takes a local copy. {how}"


def _folders(manifest: DatasetManifest) -> str:
    if not manifest.files:
        return ""
    rows = [[f"`{folder}`", str(len(files))] for folder, files in manifest.files.items()]
    return page("## Files with a known sha256", table(["Folder", "Files"], rows))
