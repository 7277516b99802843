"""The shipped manifests against `paper_settings.toml`, the settings of the paper, official READMEs and scripts."""

from __future__ import annotations

import csv

import msgspec
import pytest

from ccsr_bench.ccsr.settings import Settings, read_settings
from ccsr_bench.install.packages import Package
from ccsr_bench.install.sources import GoogleDrive, HuggingFace, Source, Url
from ccsr_bench.methods.manifest import Weights
from ccsr_bench.methods.registry import find_methods
from ccsr_bench.paper.names import variants_of
from ccsr_bench.places import shipped
from tests.support.paper_settings import WeightsSettings, paper_settings

SETTINGS = paper_settings()
ROWS = {name: row for family in SETTINGS.families.values() for name, row in family.variants.items()}
SHIPPED = {name: spec for name, spec in find_methods().items() if spec.folder.is_relative_to(shipped("methods"))}
MANIFESTS = {spec.manifest.id: spec.manifest for spec in SHIPPED.values()}


def test_every_shipped_variant_has_a_row_and_every_row_a_variant() -> None:
    shipped_variants = {name: sorted(manifest.variants) for name, manifest in MANIFESTS.items()}
    assert shipped_variants == {name: sorted(family.variants) for name, family in SETTINGS.families.items()}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_variant_runs_with_the_settings_of_its_row(name: str) -> None:
    spec, row = SHIPPED[name], ROWS[name]
    variant = spec.variant
    assert variant.parameters == row.parameters
    assert (variant.steps, variant.calls_per_step) == (row.steps, row.calls_per_step)
    assert (variant.deterministic, variant.captioned) == (row.deterministic, row.captioned)
    assert spec.manifest.scale == 4
    check_weights(variant.weights, row.weights, spec.manifest.weights)


@pytest.mark.parametrize("name", sorted(SETTINGS.families))
def test_family_is_the_official_code_of_its_row(name: str) -> None:
    manifest, family = MANIFESTS[name], SETTINGS.families[name]
    upstream = manifest.upstream
    assert (upstream.repository if upstream else "") == family.repository
    assert (upstream.commit if upstream else "").startswith(family.commit)
    assert manifest.stochastic == family.stochastic
    assert (manifest.captioner is None) == (family.captioner is None)
    if manifest.captioner is not None and family.captioner is not None:
        check_weights(manifest.captioner.weights, family.captioner.weights, manifest.weights)


@pytest.mark.parametrize("name", sorted(SETTINGS.families["ccsr"].variants))
def test_ccsr_samples_with_the_settings_of_its_row(name: str) -> None:
    family = SETTINGS.families["ccsr"]
    expected = msgspec.convert({**family.call, **ROWS[name].parameters}, Settings)
    assert read_settings(SHIPPED[name].variant.parameters) == expected
    assert {field: getattr(expected, field) for field in family.call} == family.call


def check_weights(given: dict[str, str], expected: dict[str, str], described: dict[str, Weights]) -> None:
    """Assert that the weights of each role come from the source that the row names."""
    assert given.keys() == expected.keys()
    for role, name in expected.items():
        weights, official = described[given[role]], SETTINGS.weights[name]
        assert is_from(weights, official), f"{role}: {given[role]} is not {name}"
        assert set(official.files) <= weights.files.keys(), role


def is_from(weights: Weights, official: WeightsSettings) -> bool:
    """Return whether a manifest's weights come from the official source; a longer name is another source."""
    return any(official.source in place_parts(source) for source in weights.sources)


def place_parts(source: Source) -> set[str]:
    """Return every sequence of whole path segments of a source's address, or its repository or folder id."""
    if isinstance(source, HuggingFace):
        return {source.repository}
    if isinstance(source, GoogleDrive):
        return {source.folder}
    if isinstance(source, Package):
        return {source.name}
    address = source.address if isinstance(source, Url) else source.page
    parts = address.removeprefix("https://").split("/")
    return {"/".join(parts[i:k]) for i in range(len(parts)) for k in range(i + 1, len(parts) + 1)}


def test_weights_of_different_names_are_different_weights() -> None:
    named = {}
    for name, official in SETTINGS.weights.items():
        keys = {
            key
            for manifest in MANIFESTS.values()
            for key, weights in manifest.weights.items()
            if is_from(weights, official) and set(official.files) <= weights.files.keys()
        }
        assert len(keys) == 1, name
        named[name] = keys.pop()
    assert len(set(named.values())) == len(named)


def printed_methods() -> dict[str, set[str]]:
    """Return row -> tables that contain it, for the paper's tables I to VI."""
    tables: dict[str, set[str]] = {}
    with (shipped("results/paper") / "tables.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["method"], set()).add(row["table"])
    return tables


def test_every_row_of_the_papers_tables_is_a_variant() -> None:
    printed = {name for row in ROWS.values() for name in row.printed}
    assert printed == printed_methods().keys()
    for name in printed:
        assert variants_of(name, find_methods()) == sorted(key for key, row in ROWS.items() if name in row.printed)


def test_steps_are_those_of_the_paper() -> None:
    with (shipped("results/paper") / "table7.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            steps = int(row["inference_steps"])
            name = row["method"] if f"-S{steps}" in row["method"] else f"{row['method']}-S{steps}"
            assert {row.steps for row in ROWS.values() if name in row.printed} == {steps}
    for variant, settings in ROWS.items():
        for printed in settings.printed:
            assert printed == "CCSR(1/2,1/6,2)" or steps_in(printed) in (None, settings.steps), variant


def steps_in(printed: str) -> int | None:
    """Return the number of steps in the name of a row of the paper."""
    if printed.startswith("CCSR("):
        return int(printed.rstrip(")").split(",")[-1])
    _, separator, steps = printed.rpartition("-S")
    return int(steps) if separator and steps.isdigit() else None


def test_three_steps_are_table_v() -> None:
    """CCSR is in the paper's Table V too, but not with three steps."""
    three = {name for name, tables in printed_methods().items() if "V" in tables and not name.startswith("CCSR")}
    assert three == {name for row in ROWS.values() for name in row.printed if row.steps == 3 and name.endswith("-S3")}
