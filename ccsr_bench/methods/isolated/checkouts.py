"""Checkouts of official repositories at the commits that methods are pinned to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ccsr_bench.errors import BenchError, NotInstalledError, first_line
from ccsr_bench.methods.manifest import Upstream
from ccsr_bench.places import home


def find_source(method: str, upstream: Upstream) -> Path:
    """Return the checkout that `install_source` installed.

    Raises:
        NotInstalledError: There is no checkout.
        BenchError: The checkout is at another commit, or files in it are changed.
    """
    folder = _place(method)
    if not folder.is_dir():
        raise NotInstalledError(f"no checkout of {upstream.repository} in {folder}")
    _check(folder.resolve(), upstream)
    return folder.resolve()


def install_source(method: str, upstream: Upstream, own: Path | None = None) -> Path:
    """Link the user's checkout of the official repository, or clone the repository.

    Args:
        method: Id of the family of methods.
        upstream: Repository and commit.
        own: Folder of the user's checkout, which is linked and not copied; the repository is cloned when None.

    Raises:
        BenchError: The repository cannot be cloned, the checkout is at another commit, or files in it are changed.
    """
    place = _place(method)
    place.parent.mkdir(parents=True, exist_ok=True)
    if own is not None:
        _check(own, upstream)
        _remove(place)
        place.symlink_to(own.resolve(), target_is_directory=True)
    elif not place.is_dir():
        partial = place.with_name(f"{method}.partial")
        _remove(partial)
        _remove(place)  # a link to a checkout that no longer exists
        _git(
            ["clone", "--quiet", "--no-checkout", upstream.repository, str(partial)],
            f"cannot clone {upstream.repository}",
            "clone it by hand and give the folder as `source`",
        )
        _checkout(partial, upstream)
        partial.rename(place)
    return find_source(method, upstream)


def _place(method: str) -> Path:
    return home() / "sources" / method


def _checkout(folder: Path, upstream: Upstream) -> None:
    _git(
        ["-C", str(folder), "checkout", "--quiet", "--detach", upstream.commit],
        f"{folder}: cannot check out {upstream.commit}",
        f"check that {upstream.repository} has this commit",
    )


def _check(folder: Path, upstream: Upstream) -> None:
    """Check that a checkout is at the pinned commit without changes; raises a `BenchError` if not."""
    commit = _git(
        ["-C", str(folder), "rev-parse", "HEAD"],
        f"{folder}: not a checkout of {upstream.repository}",
        "give a folder that `git clone` made as `source`",
    )
    if commit != upstream.commit:
        raise BenchError(
            f"{folder}: at commit {commit[:12]}, the method is pinned to {upstream.commit[:12]}: "
            f"run `git -C {folder} checkout {upstream.commit}`"
        )
    changed = _git(
        ["-C", str(folder), "status", "--porcelain", "--untracked-files=no"],
        f"{folder}: git status failed",
        f"run `git -C {folder} status` to see why",
    )
    if changed:
        raise BenchError(
            f"{folder}: files were changed since the pinned commit ({changed.splitlines()[0].strip()}): "
            f"run `git -C {folder} stash`"
        )


def _git(arguments: list[str], problem: str, advice: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise BenchError(f"{problem}: git is not installed; install it")
    done = subprocess.run([git, *arguments], capture_output=True, text=True, check=False)  # noqa: S603 - git, by its path
    if done.returncode != 0:
        raise BenchError(f"{problem} ({first_line(Exception(done.stderr))}); {advice}")
    return done.stdout.strip()


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
