"""Finding the weights of methods, and installing them from a local folder, from mirrors or from a shared folder."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import requests
import torch

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.install.files import silent
from ccsr_bench.install.hashing import shortened
from ccsr_bench.install.sources import ByHand, GoogleDrive, HuggingFace, Source, Url
from ccsr_bench.methods import loading
from ccsr_bench.methods.manifest import Weights
from ccsr_bench.methods.registry import find_method, find_methods
from ccsr_bench.methods.weights import install_weights, installed_weights, own_weights
from ccsr_bench.preparation.installation import plan
from ccsr_bench.preparation.selection import select

KNOWN = hashlib.sha256(b"known").hexdigest()


def weights(*sources: Source) -> Weights:
    files = {"unet/model.safetensors": KNOWN, "config.json": ""}
    return Weights(licence="CC0", sources=list(sources), files=files, folder="official")


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A local copy in a folder with the authors' name."""
    folder = tmp_path / "local" / "official"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "model.safetensors").write_bytes(b"known")
    (folder / "config.json").write_bytes(b"{}")
    return folder.parent


def test_installed_from_a_local_copy_and_found(local: Path, home: Path) -> None:
    with pytest.raises(NotInstalledError, match="no weights parts in"):
        installed_weights("parts", weights())
    done: list[tuple[int, int, str]] = []
    folder = install_weights("parts", weights(), local=local, progress=lambda *step: done.append(step))
    assert folder == home / "weights" / "parts"
    assert done == [(1, 2, "parts/unet/model.safetensors"), (2, 2, "parts/config.json")]
    installed = installed_weights("parts", weights())
    assert installed.folder == folder
    assert installed.sha256 == own_weights("parts", weights(), local).sha256
    assert sorted(path.name for path in folder.rglob("*")) == [
        ".lock",
        "config.json",
        "installed.json",
        "model.safetensors",
        "unet",
    ]


def test_unpublished_file_is_refused_and_leaves_nothing(local: Path, home: Path) -> None:
    (local / "official" / "unet" / "model.safetensors").write_bytes(b"mine")
    with pytest.raises(BenchError, match=r"wrong sha256: it is not the published file.*`ccsr-bench run --weights DIR`"):
        install_weights("parts", weights(), local=local)
    assert not (home / "weights" / "parts" / "unet" / "model.safetensors").exists()
    mine = own_weights("parts", weights(), local)
    (local / "official" / "unet" / "model.safetensors").write_bytes(b"known")
    assert own_weights("parts", weights(), local).sha256 != mine.sha256  # results of the two are never mixed


def test_an_interrupted_installation_is_continued(local: Path, home: Path) -> None:
    (local / "official" / "config.json").unlink()
    with pytest.raises(BenchError, match=r"config\.json is missing"):
        install_weights("parts", weights(), local=local)
    with pytest.raises(NotInstalledError, match=r"config\.json is missing"):
        installed_weights("parts", weights())
    (local / "official" / "config.json").write_bytes(b"{}")
    (local / "official" / "unet" / "model.safetensors").unlink()  # this file is already installed
    install_weights("parts", weights(), local=local)
    (local / "official" / "config.json").unlink()
    (local / "official" / "unet").rmdir()
    (local / "official").rmdir()
    install_weights("parts", weights(), local=local)  # now all files are already installed
    installed_weights("parts", weights())


def test_a_changed_file_is_detected(local: Path) -> None:
    folder = install_weights("parts", weights(), local=local)
    for file in ("config.json", "unet/model.safetensors"):
        kept = (folder / file).read_bytes()
        (folder / file).write_bytes(b"changed")
        with pytest.raises(BenchError, match=rf"{file}: wrong sha256"):
            installed_weights("parts", weights())
        (folder / file).write_bytes(kept)  # the same bytes with another time are the same file
    installed_weights("parts", weights())


def test_file_of_unknown_hash_must_stay_the_first(local: Path) -> None:
    folder = install_weights("parts", weights(), local=local)
    (folder / "config.json").write_bytes(b"changed")
    install_weights("parts", weights(), local=local)
    assert (folder / "config.json").read_bytes() == b"{}"
    (local / "official" / "config.json").write_bytes(b"another")
    with pytest.raises(BenchError, match=rf"not the file that was installed first.*remove {folder} to start over"):
        install_weights("parts", weights(), local=local)
    assert (folder / "config.json").read_bytes() == b"{}"


def test_weights_in_a_folder_of_the_same_name_are_found_and_hashed(local: Path) -> None:
    flat = own_weights("parts", weights(), local)
    outer = local / "official"
    outer.rename(local / "moved")
    outer.mkdir()
    (local / "moved").rename(outer / "official")
    deep = own_weights("parts", weights(), local)
    assert deep.folder == outer / "official"
    assert deep.sha256 == flat.sha256
    (outer / "config.json").write_bytes(b"{}")  # now the outer folder is used, and it is not complete
    with pytest.raises(NotInstalledError, match=r"official/unet/model\.safetensors is missing"):
        own_weights("parts", weights(), local)
    with pytest.raises(NotInstalledError, match=r"nowhere: no such folder"):
        own_weights("parts", weights(), local / "nowhere")
    with pytest.raises(NotInstalledError) as error:
        own_weights("parts", weights(), local.parent)
    assert str(error.value) == (
        f"{local.parent} holds no unet/model.safetensors, config.json of the weights parts: searched its folders "
        f"parts, parts/parts, official, official/official, and the folder itself"
    )


def test_files_that_lie_flat_in_the_folder_are_taken(local: Path, home: Path) -> None:
    flat = local / "official"
    assert own_weights("parts", weights(), flat).folder == flat
    folder = install_weights("parts", weights(), local=flat)
    assert (folder / "unet" / "model.safetensors").read_bytes() == b"known"
    (flat / "unet" / "model.safetensors").unlink()
    with pytest.raises(NotInstalledError, match=rf"{flat}/unet/model\.safetensors is missing from the local copy"):
        install_weights("others", weights(), local=flat)


@pytest.mark.parametrize("shared", ["config.json", "unet/pytorch_model.bin"])
def test_a_flat_file_whose_name_two_weights_share_is_nobody_s(local: Path, home: Path, shared: str) -> None:
    flat = local / "official"
    others = [Weights(licence="CC0", sources=[ByHand("")], files={shared: ""}, folder="second")]
    refused = r"official: several weights have a file called .*put that of parts into a folder 'parts' in it"
    with pytest.raises(NotInstalledError, match=refused):
        own_weights("parts", weights(), flat, others=others)
    with pytest.raises(NotInstalledError, match=refused):
        install_weights("parts", weights(), local=flat, others=others)
    assert not (home / "weights" / "parts" / "config.json").exists()
    assert own_weights("parts", weights(), local, others=others).folder == flat  # a folder of its own


def test_a_method_and_a_preparation_do_not_mix_weights_up(local: Path, home: Path) -> None:
    flat = local / "official"
    (flat / "diffusion_pytorch_model.safetensors").write_bytes(b"of which network?")
    refused = r"several weights have a file called config\.json"
    with pytest.raises(NotInstalledError, match=refused):
        find_method("ccsr-s2").find_weights(flat)
    planned = {item.name: item for item in plan(select(methods=["ccsr-s2"]), local=flat)}
    for name in ("ccsr-controlnet", "ccsr-vae"):
        with pytest.raises(NotInstalledError, match=refused):
            planned[name].install(silent)
    assert not list(home.rglob("*.safetensors"))


def test_mirrors_are_tried_in_order_and_verified(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def download(repository: str, file: str, *, repo_type: str, revision: str, local_dir: Path) -> str:
        assert repo_type == "model"
        asked.append(f"{repository} {file} {revision}")
        if repository == "gone/away":
            raise OSError("404 Client Error")
        path = local_dir / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"wrong" if repository == "wrong/one" and file.startswith("unet") else b"known")
        return str(path)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    sources = [HuggingFace(name) for name in ("gone/away", "wrong/one", "right/one", "never/asked")]
    folder = install_weights("parts", weights(*sources))
    assert asked[:3] == [f"{name} unet/model.safetensors main" for name in ("gone/away", "wrong/one", "right/one")]
    assert asked[3:] == [f"{name} config.json main" for name in ("gone/away", "wrong/one")]
    assert (folder / "unet" / "model.safetensors").read_bytes() == b"known"
    with pytest.raises(BenchError, match=r"tried Hugging Face gone/away \(OSError: 404 .*'official' as `local`"):
        install_weights("others", weights(HuggingFace("gone/away")))


@pytest.mark.parametrize("prefix", ["", "official/", "somewhere/else/"])
def test_shared_folder_may_hold_the_weights_or_be_them(
    prefix: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gdown = pytest.importorskip("gdown", reason="needs the extra `ccsr`")
    content = {f"{prefix}unet/model.safetensors": b"known", f"{prefix}config.json": b"{}", "README.md": b""}

    def listing(**asked: Any) -> list[SimpleNamespace]:
        assert asked["id"] == "FOLDER"
        assert asked["skip_download"]
        return [SimpleNamespace(path=path, id=path) for path in content]

    def download(*, output: str, resume: bool, **asked: Any) -> str:
        assert resume
        Path(output).write_bytes(content[asked["id"]])
        return output

    monkeypatch.setattr(gdown, "download_folder", listing)
    monkeypatch.setattr(gdown, "download", download)
    folder = install_weights("parts", weights(GoogleDrive("FOLDER")))
    assert sorted(path.name for path in folder.rglob("*.*") if path.is_file()) == [
        ".lock",
        "config.json",
        "installed.json",
        "model.safetensors",
    ]
    installed_weights("parts", weights())
    content.clear()
    with pytest.raises(BenchError, match=r"drive.google.com/drive/folders/FOLDER \(the folder holds no"):
        install_weights("others", weights(GoogleDrive("FOLDER")))


def test_release_on_the_web_is_fetched_and_verified(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Response:
        """Substitute for a response, with the attributes that pooch reads."""

        headers: ClassVar[dict[str, str]] = {}

        def __init__(self, url: str) -> None:
            self._content = b"wrong" if "/wrong/" in url else b"known"
            self._gone = "/gone/" in url

        def raise_for_status(self) -> None:
            if self._gone:
                raise requests.HTTPError("404 Client Error: Not Found")

        def iter_content(self, chunk_size: int) -> list[bytes]:
            return [self._content[:2], self._content[2:]]

        def close(self) -> None:
            pass

    def get(url: str, **options: Any) -> Response:
        asked.append(url)
        assert options["timeout"]
        return Response(url)

    monkeypatch.setattr("requests.get", get)
    sources = [Url(f"https://web.test/{name}/v1.0") for name in ("gone", "wrong", "right", "never")]
    folder = install_weights("parts", weights(*sources))
    assert asked[:3] == [f"https://web.test/{name}/v1.0/unet/model.safetensors" for name in ("gone", "wrong", "right")]
    assert (folder / "unet" / "model.safetensors").read_bytes() == b"known"
    assert sorted(path.name for path in folder.iterdir()) == [".lock", "config.json", "installed.json", "unet"]
    with pytest.raises(BenchError, match=r"https://web\.test/gone/v1\.0 \(HTTPError: 404 .* \(wrong sha256\); or"):
        install_weights("others", weights(*sources[:2]))


def test_a_source_that_needs_a_browser_is_described(local: Path) -> None:
    source = ByHand("https://drive.test/file")
    with pytest.raises(BenchError, match=r"tried https://drive\.test/file \(only with a browser\); .* as `local`"):
        install_weights("parts", weights(source))
    assert install_weights("parts", weights(source), local=local).is_dir()


def test_weights_are_part_of_the_origin_of_the_outputs(local: Path) -> None:
    spec = find_method("ccsr-s2")
    found = {"base": own_weights("parts", weights(), local)}
    text = spec.origins(weights=found)[0].text()
    assert f"base weights sha256 {found['base'].sha256[:16]}" in text
    (local / "official" / "config.json").write_bytes(b"another")
    assert spec.origins(weights={"base": own_weights("parts", weights(), local)})[0].text() != text


def test_a_person_can_compute_the_hashes_as_the_documentation_says(local: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "concepts" / "ledger.md"
    one, several = re.findall(r"^sha256sum .*$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert one.split()[1] == "unet/model.safetensors"
    file = {"unet/model.safetensors": KNOWN}
    alone = own_weights("parts", Weights(licence="CC0", sources=[ByHand("")], files=file, folder="official"), local)
    for command, found in ((one, alone), (several, own_weights("parts", weights(), local))):
        done = subprocess.run(["bash", "-c", command], cwd=found.folder, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [found.sha256[:16]]


def test_a_person_can_compute_the_hash_of_tensors_as_the_documentation_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file = pytest.importorskip("safetensors.torch", reason="needs the extra `ccsr`").save_file
    file, folder = "RealESRGAN_x4plus.safetensors", tmp_path / "official"
    folder.mkdir()
    tensors = {"b.bias": torch.arange(3.0), "a.weight": torch.ones(2, 3, 1, dtype=torch.float16), "n": torch.tensor(7)}
    save_file(tensors, folder / file)
    described = Weights(licence="CC0", sources=[ByHand("")], files={file: f"tensors:{KNOWN}"}, folder="official")
    page = Path(__file__).parents[2] / "docs" / "concepts" / "ledger.md"
    (snippet,) = re.findall(r"^```python\n(import hashlib.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(folder)
    exec(snippet, {})
    found = own_weights("parts", described, tmp_path)
    assert f"tensors:{capsys.readouterr().out.strip()}" == shortened(found.sha256)
    assert found.own


def test_only_weights_that_differ_from_the_published_and_the_installed_ones_are_own(local: Path) -> None:
    assert own_weights("parts", weights(), local).own  # the hash of config.json is not published
    install_weights("parts", weights(), local=local)
    assert not installed_weights("parts", weights()).own
    assert not own_weights("parts", weights(), local).own
    (local / "official" / "config.json").write_bytes(b"another")
    assert own_weights("parts", weights(), local).own


def test_hashing_is_not_repeated_while_files_are_unchanged(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install_weights("parts", weights(), local=local)

    def fail(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr("ccsr_bench.install.hashing.file_sha256", fail)
    installed_weights("parts", weights())
    os.utime(folder / "config.json")
    with pytest.raises(AssertionError, match=r"config\.json"):
        installed_weights("parts", weights())


def test_missing_weights_name_the_method_and_the_command() -> None:
    with pytest.raises(
        NotInstalledError, match=r"method 'ccsr-v1': no weights .*`ccsr-bench prepare --method ccsr-v1`"
    ):
        find_method("ccsr-v1").find_weights()


def test_two_manifests_cannot_mean_different_weights_by_one_name(tmp_path: Path) -> None:
    shipped_manifest = Path(__file__).parents[2] / "methods" / "ccsr" / "method.toml"
    (tmp_path / "mine").mkdir()
    text = shipped_manifest.read_text().replace("variants.ccsr-", "variants.mine-")
    (tmp_path / "mine" / "method.toml").write_text(text)
    assert "mine-s2" in find_methods([tmp_path])  # both manifests share the same weights
    (tmp_path / "mine" / "method.toml").write_text(text.replace('"11ac5627', '"22ac5627'))
    with pytest.raises(BenchError, match="weights 'stable-diffusion-2-1-base' are described differently"):
        find_methods([tmp_path])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('folder = "controlnet"', 'folder = "../controlnet"', "matching regex"),
        ('"config.json" = ""', '"../config.json" = ""', "matching regex"),
        ('"config.json" = ""', '"installed.json" = ""', "cannot be called installed.json"),
        ('kind = "google-drive"', 'kind = "ftp"', "Invalid value 'ftp'"),
        ('kind = "google-drive", folder = "', 'kind = "url", address = "http://', "matching regex"),
        ('vae = "ccsr-vae"', 'vae = "ccsr-vea"', "names weights that the manifest does not have: ccsr-vea"),
        ("parameters = { num", "parameters = { weights = 1, num", "has a parameter called weights"),
    ],
)
def test_bad_fields_of_a_manifest_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    manifest = (Path(__file__).parents[2] / "methods" / "ccsr" / "method.toml").read_text()
    assert old in manifest
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "method.toml").write_text(manifest.replace(old, new))
    with pytest.raises(BenchError, match=message):
        find_methods([tmp_path])


def test_everything_that_a_method_lacks_is_named(home: Path) -> None:
    with pytest.raises(BenchError) as error:
        loading.check_installed(find_method("supir-s50"))
    for missing in (
        "no weights stable-diffusion-xl-base-0.9vae",
        "no weights supir-v0q",
        "no weights clip-vit-large-patch14 ",
        "no weights llava-v1.5-13b",
        "no weights clip-vit-large-patch14-336",
        "requirements.lock, no checkout of",
        "captioner.lock, no checkout of",
    ):
        assert missing in str(error.value)
