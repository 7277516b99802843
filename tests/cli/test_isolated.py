"""Isolated methods, which run in a process of their own, as a user runs them."""

from __future__ import annotations

import json
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ccsr_bench.cli import main
from ccsr_bench.images import write_png
from ccsr_bench.methods.isolated.environments import make_environment
from tests.support.cli import Capture, mistake
from tests.support.isolated import MANIFEST, VERSION, git, write_isolated, write_repository
from tests.support.pictures import picture

CRASHES, HANGS = "image03", "image05"
UPSTREAM = '[upstream]\nrepository = "{repository}"\ncommit = "{commit}"\n\n[environment]'


@pytest.fixture
def ten_pairs(tmp_path: Path) -> Path:
    """Ten pairs; the method crashes on one of them and hangs on another."""
    for index in range(10):
        lr = picture(index, 8)
        lr[0, 0, 0] = {CRASHES: 1, HANGS: 2}.get(f"image{index:02d}", 100)
        for part, image in (("lr", lr), ("hr", lr.repeat(4, 0).repeat(4, 1))):
            (tmp_path / "ten" / part).mkdir(parents=True, exist_ok=True)
            write_png(tmp_path / "ten" / part / f"image{index:02d}.png", np.ascontiguousarray(image))
    return tmp_path / "ten"


def run(pairs: Path, methods: Path, out: Path, capsys: Capture) -> tuple[int, dict[str, object]]:
    """Run the method on the pairs; return the exit code and the summary that is printed as JSON."""
    arguments = ["run", "--method", "fake", "--methods-dir", methods, "--lr", pairs / "lr", "--hr", pairs / "hr"]
    capsys.readouterr()
    code = main([str(a) for a in [*arguments, "--runs", 2, "--metrics", "psnr", "--out", out, "--json"]])
    return code, json.loads(capsys.readouterr().out)["fake"]


def test_a_crash_and_a_hang_cost_their_images_alone(
    ten_pairs: Path, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    methods = write_isolated(tmp_path / "methods", home)
    code, said = run(ten_pairs, methods, tmp_path / "out", capsys)
    assert code == 3
    failures = said["failures"]
    assert isinstance(failures, dict)
    assert failures.keys() == {CRASHES, HANGS}
    assert "ended with exit code 9 (CUDA error: out of luck)" in failures[CRASHES]
    assert "no answer in 2 s" in failures[HANGS]
    assert said["computed"] == 8
    assert "CUDA error" in (tmp_path / "out" / "custom" / "fake" / "worker.log").read_text()

    # Only these two images are tried again.
    code, said = run(ten_pairs, methods, tmp_path / "out", capsys)
    assert (code, said["computed"]) == (3, 0)
    assert said["failures"].keys() == {CRASHES, HANGS}  # type: ignore[attr-defined]


def test_profile_measures_the_worker(home: Path, tmp_path: Path, capsys: Capture) -> None:
    methods = write_isolated(tmp_path / "methods", home)
    assert main(["profile", "--method", "fake", "--methods-dir", str(methods), "--size", "16", "--json"]) == 0
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["steps"] == 3
    assert figures["seconds_all_runs"] > figures["seconds_one_run"] > 0
    assert 10 < figures["peak_mib"] < 1000  # memory of the worker, which does not import torch, not of this process


def test_options_that_do_not_apply_to_isolated_methods(
    ten_pairs: Path, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    methods = write_isolated(tmp_path / "methods", home)
    command = ["run", "--method", "fake", "--methods-dir", methods, "--lr", ten_pairs / "lr", "--hr", ten_pairs / "hr"]
    for option in (["--dtype", "float16"], ["--compile"], ["--batch", "2"]):
        line = mistake(capsys, *command, *option)
        assert line.startswith(f"ccsr-bench: {option[0]}: method 'fake'")
    assert "method 'fake' has no weights" in mistake(capsys, *command, "--weights", tmp_path)


def test_a_method_without_its_environment(ten_pairs: Path, home: Path, tmp_path: Path, capsys: Capture) -> None:
    methods = write_isolated(tmp_path / "methods", tmp_path / "elsewhere")
    command = ["run", "--method", "fake", "--methods-dir", methods, "--lr", ten_pairs / "lr", "--hr", ten_pairs / "hr"]
    assert "run `ccsr-bench prepare --method fake`" in mistake(capsys, *command, "--metrics", "psnr")


def test_prepare_makes_the_environment_and_checks_the_checkout(home: Path, tmp_path: Path, capsys: Capture) -> None:
    source = tmp_path / "official"
    commit = write_repository(source)
    manifest = MANIFEST.replace("[environment]", UPSTREAM.format(repository=source, commit=commit))
    methods = write_isolated(tmp_path / "methods", home, manifest=manifest)
    prepare = ["prepare", "--method", "fake", "--methods-dir", methods]

    assert main([str(a) for a in [*prepare, "--offline"]]) == 1
    assert f"no checkout of {source}" in capsys.readouterr().out
    assert main([str(a) for a in prepare]) == 0  # a clone
    assert (home / "sources" / "fake" / "model.py").is_file()
    assert main([str(a) for a in [*prepare, "--offline"]]) == 0

    (source / "model.py").write_text("changed = True\n")
    assert "files were changed since the pinned commit (M model.py)" in mistake(capsys, *prepare, "--source", source)
    git(source, "commit", "--quiet", "--all", "--message", "more")
    assert f"the method is pinned to {commit[:12]}: run `git -C" in mistake(capsys, *prepare, "--source", source)
    assert "not a checkout of" in mistake(capsys, *prepare, "--source", tmp_path)
    assert "--source is the checkout of one method" in mistake(
        capsys, "prepare", "--method", "bicubic", "--source", source
    )
    git(source, "checkout", "--quiet", "--detach", commit)
    assert main([str(a) for a in [*prepare, "--source", source]]) == 0
    assert (home / "sources" / "fake").resolve() == source


def test_uv_makes_an_environment(home: Path, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# nothing\n")
    interpreter = make_environment(VERSION, lock)
    code = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix != sys.base_prefix)"
    done = subprocess.run([interpreter, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == f"{VERSION} True\n"
    assert make_environment(VERSION, lock) == interpreter


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('kind = "isolated"', 'kind = "isolated"\nadapter = "../adapter.py"', "$.environment.adapter"),
        ('kind = "isolated"', 'kind = "isolated"\nlock = "/etc/passwd"', "$.environment.lock"),
        ('kind = "isolated"', 'kind = "isolated"\nadapter = "linked.py"', "adapter = 'linked.py' leads out of the"),
        ('kind = "isolated"', 'kind = "isolated"\nlock = "missing.lock"', "`lock` in"),
        ('kind = "isolated"', 'kind = "isolated"\ncolour = 1', "unknown field `colour` - at `$.environment`"),
        ("image_seconds = 2", "image_seconds = 0", "$.environment.image_seconds"),
        ('python = "{python}"', 'python = "2.7"', "$.environment.python"),
    ],
)
def test_bad_manifests_name_the_field(
    old: str, new: str, line: str, home: Path, tmp_path: Path, ten_pairs: Path, capsys: Capture
) -> None:
    methods = write_isolated(tmp_path / "methods", home, manifest=MANIFEST.replace(old, new))
    (tmp_path / "outside.py").write_text("raise SystemExit")
    (methods / "fake" / "linked.py").symlink_to(tmp_path / "outside.py")
    command = ["run", "--method", "fake", "--methods-dir", methods, "--lr", ten_pairs / "lr", "--hr", ten_pairs / "hr"]
    assert line in mistake(capsys, *command, "--metrics", "psnr")


class _Malicious:
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self._marker,)  # type: ignore[return-value]


def test_an_adapter_refuses_a_malicious_pickle(home: Path, tmp_path: Path, capsys: Capture) -> None:
    adapter = (
        "import torch\n\ndef load(source, weights, device):\n    return torch.load(r'{file}', weights_only=True)\n"
    )
    marker, file = tmp_path / "marker", tmp_path / "weights.pth"
    file.write_bytes(pickle.dumps(_Malicious(marker)))
    methods = write_isolated(tmp_path / "methods", home, adapter=adapter.format(file=file))
    line = mistake(capsys, "test-method", "fake", "--methods-dir", methods)
    assert "UnpicklingError" in line
    assert "UnpicklingError" in Path(line.rsplit("see ")[-1]).read_text()  # the log that the line names
    assert not marker.exists()


def test_contract_of_a_method_that_keeps_it_and_of_one_that_does_not(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    methods = write_isolated(tmp_path / "methods", home)
    command = ["test-method", "fake", "--methods-dir", str(methods), "--size", "16", "--json"]
    capsys.readouterr()
    assert main(command) == 0
    assert all(promise["kept"] for promise in json.loads(capsys.readouterr().out))

    adapter = methods / "fake" / "adapter.py"
    broken = adapter.read_text().replace("np.random.randint(", "np.random.default_rng().integers(")
    adapter.write_text(broken.replace("range(self.steps)", "range(self.steps - 1)"))
    assert main(command) == 1
    kept = {promise["promise"]: promise["kept"] for promise in json.loads(capsys.readouterr().out)}
    assert not kept["same seed, same bytes, whatever ran before"]
    assert not kept["the same after a restart"]
    assert not kept["declared steps (3) are the network's calls"]
    assert kept["other seeds give other outputs"]
