from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ccsr_bench.ccsr.settings import read_settings
from ccsr_bench.errors import BenchError
from ccsr_bench.methods import registry
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.loading import load_method
from ccsr_bench.methods.registry import find_method, find_methods
from ccsr_bench.methods.weights import InstalledWeights
from ccsr_bench.places import shipped
from tests.support.methods import ADAPTER, MANIFEST, write_method


def test_shipped_methods_are_found_and_load() -> None:
    methods = find_methods()
    assert {"bicubic", "lanczos", "bicubic-dither"} <= methods.keys()
    assert not methods["bicubic"].manifest.stochastic
    assert methods["bicubic-dither"].manifest.stochastic
    assert {"ccsr-s1", "ccsr-s2", "ccsr-v1", "ccsr-v2"} <= methods.keys()
    for spec in methods.values():
        if not spec.variant.weights:
            load_method(spec)


def test_declared_steps_of_ccsr_are_those_of_its_settings() -> None:
    for spec in find_methods().values():
        if spec.manifest.id == "ccsr":
            assert read_settings(spec.variant.parameters).schedule.network_calls == spec.variant.steps


def test_variants_of_ccsr_are_the_rows_of_the_papers_tables() -> None:
    titles = {spec.variant.title for spec in find_methods().values()}
    with (shipped("results/paper") / "tables.csv").open(newline="") as file:
        rows = {row["method"] for row in csv.DictReader(file) if row["table"] in ("II", "III")}
    # The paper prints one step too few, and CCSR-S2 under two more names.
    rows = {row.replace("(1/2,1/6,2)", "(1/2,1/6,3)") for row in rows} - {"CCSR(6,2)", "CCSR(2/3,1/2,2)"}
    assert len(rows) == 6
    assert rows <= titles


def test_own_method_from_a_folder(tmp_path: Path) -> None:
    write_method(tmp_path, parameters="{ level = 9 }")
    method = load_method(find_method("constant", [tmp_path]))
    assert method.restore(np.zeros((2, 3, 3), np.uint8), [0, 1]).shape == (2, 8, 12, 3)
    assert method.restore(np.zeros((2, 3, 3), np.uint8), [0]).max() == 9


def test_own_method_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.FOLDERS_VARIABLE, str(write_method(tmp_path)))
    assert find_method("constant").folder == tmp_path / "constant"


def test_method_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = write_method(tmp_path / "package")
    (package / "__init__.py").write_text("")

    class Point:
        name = "package"

        def load(self) -> ModuleType:
            module = ModuleType("package")
            module.__file__ = str(package / "__init__.py")
            return module

    class Broken:
        name = "broken"

        def load(self) -> ModuleType:
            raise ImportError("no such module")

    def points(group: str) -> Iterator[EntryPoint]:
        assert group == "ccsr_bench.methods"
        return iter([Broken(), Point()])  # type: ignore[list-item]

    monkeypatch.setattr(registry, "entry_points", points)
    assert find_method("constant").name == "constant"  # a broken package is a warning, not an error


def test_the_error_for_an_unknown_method_names_similar_ones() -> None:
    with pytest.raises(BenchError, match="unknown method 'bicubc': did you mean bicubic"):
        find_method("bicubc")


def test_name_defined_twice_is_refused(tmp_path: Path) -> None:
    write_method(tmp_path, "bicubic")
    with pytest.raises(BenchError, match="'bicubic' is defined twice"):
        find_methods([tmp_path])


@pytest.mark.parametrize(
    ("entry", "parameters", "message"),
    [
        ("adapter.py:Missing", "{}", "cannot be loaded: AttributeError"),
        ("nowhere.py:Constant", "{}", "no such file"),
        ("no_such_package:Thing", "{}", "cannot be loaded: ModuleNotFoundError"),
        ("adapter.py:Constant", "{ colour = 1 }", "cannot be loaded: TypeError"),
        ("pathlib:Path", "{}", "no method `restore`"),
    ],
)
def test_method_that_cannot_be_loaded(tmp_path: Path, entry: str, parameters: str, message: str) -> None:
    write_method(tmp_path, entry=entry, parameters=parameters)
    with pytest.raises(BenchError, match=message):
        load_method(find_method("constant", [tmp_path]))


def test_mistake_in_a_manifest_is_named(tmp_path: Path) -> None:
    write_method(tmp_path)
    path = tmp_path / "constant" / "method.toml"
    path.write_text(path.read_text().replace("scale = 4", 'scale = "four"'))
    with pytest.raises(BenchError, match=r"method\.toml: Expected `int`, got `str` - at `\$\.scale`"):
        find_methods([tmp_path])
    with pytest.raises(BenchError, match="no such folder of methods"):
        find_methods([tmp_path / "nowhere"])


def test_the_origin_names_parameters_and_the_users_code(tmp_path: Path) -> None:
    dither = find_method("bicubic-dither").origins()[0].text()
    assert dither == 'ccsr_bench.methods.interpolation:DitheredBicubic {"sigma": 8.0}'
    write_method(tmp_path)
    before = find_method("constant", [tmp_path]).origins()[0].text()
    (tmp_path / "constant" / "adapter.py").write_text(ADAPTER + "\n# changed\n")
    assert find_method("constant", [tmp_path]).origins()[0].text() != before


ISOLATED = """
id = "constant"
title = "A test"
licence = "none"
scale = 4
stochastic = false
[environment]
kind = "isolated"
python = "3.11"
earlier_versions = ["{version}"]
[variants.constant]
title = "A test"
"""


@pytest.mark.parametrize("isolated", [True, False])
def test_origins_of_earlier_versions_equal_those_that_they_recorded(tmp_path: Path, isolated: bool) -> None:
    home = write_method(tmp_path) / "constant"
    manifest = ISOLATED if isolated else MANIFEST.replace('{entry}"', '{entry}"\nearlier_versions = ["{version}"]')
    (home / "requirements.lock").write_text("numpy\n")
    version = hashlib.sha256(ADAPTER.encode()).hexdigest()[:16]
    text = manifest.format(name="constant", entry="adapter.py:Constant", parameters="{}", version=version)
    (home / "method.toml").write_text(text)
    execution, weights = Execution(dtype="float16"), {"base": InstalledWeights(tmp_path, "0" * 64)}
    before = find_method("constant", [tmp_path]).origins(execution, weights)[0].text()
    (home / "adapter.py").write_text(ADAPTER.replace("import", "import  "))
    spec = find_method("constant", [tmp_path])
    assert spec.origins(execution, weights)[0].text() != before
    assert [origin.text() for origin in spec.origins(execution, weights)[1:]] == [before]


def test_earlier_versions_of_shipped_adapters_differ_from_the_present_version() -> None:
    seen = 0
    for spec in find_methods().values():
        for part in (spec, spec.captioner) if spec.variant.captioned else (spec,):
            for version in part.manifest.environment.earlier_versions:
                assert re.fullmatch("[0-9a-f]{16}", version)
                seen += 1
            assert part.origins()[0] not in part.origins()[1:]
    assert seen


def test_an_earlier_version_has_sixteen_digits(tmp_path: Path) -> None:
    home = write_method(tmp_path) / "constant"
    (home / "method.toml").write_text(ISOLATED.format(version="0" * 64))
    with pytest.raises(BenchError, match=r"method\.toml: Expected `str` matching regex .*earlier_versions"):
        find_methods([tmp_path])
