"""Finding methods: those that ship with ccsr-bench, the user's own, and those that packages install."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path

import msgspec

from ccsr_bench.errors import BenchError, NotInstalledError, unknown_name
from ccsr_bench.ledger.records import CaptionOrigin, Origin
from ccsr_bench.manifests import read_toml
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.manifest import Isolated, MethodManifest, Variant, Weights
from ccsr_bench.methods.weights import InstalledWeights, installed_weights, own_weights
from ccsr_bench.places import shipped

ENTRY_POINT_GROUP = "ccsr_bench.methods"
"""The entry point group by which an installed package offers methods: it names a package with their folders."""

FOLDERS_VARIABLE = "CCSR_BENCH_METHODS"
"""Folders of the user's own methods, separated like `PATH`."""

Folders = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A folder of methods, or several."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MethodSpec:
    """One variant of one family, found but not loaded."""

    name: str
    manifest: MethodManifest
    variant: Variant
    folder: Path
    """The folder of its `method.toml`."""

    @property
    def defined_in(self) -> str:
        """What defines the method, for error messages."""
        return str(self.folder / "method.toml")

    @property
    def stochastic(self) -> bool:
        """Whether outputs depend on the seed."""
        return self.manifest.stochastic and not self.variant.deterministic

    @property
    def captioner(self) -> MethodSpec:
        """The captioner of its LR images, as a method of its own: it has code, packages and weights like one.

        Raises:
            BenchError: The method takes no captions.
        """
        captioner = self.manifest.captioner
        if captioner is None or not self.variant.captioned:
            raise BenchError(f"method '{self.name}' takes no captions")
        return replace(
            self,
            manifest=msgspec.structs.replace(self.manifest, environment=captioner),
            variant=Variant(title=f"Captioner of {self.manifest.id}", weights=captioner.weights),
        )

    def origins(
        self,
        execution: Execution | None = None,
        weights: Mapping[str, InstalledWeights] | None = None,
        *,
        captions: CaptionOrigin | str | None = None,
    ) -> list[Origin]:
        """Return the code, parameters, weights and precision that make the outputs; others are never mixed in.

        Code of the user's own, beside the manifest, is named with its hash; that of a package has its version in the
        provenance.

        Args:
            execution: How the method's networks run.
            weights: Role -> installed weights.
            captions: What made the captions of the LR images, for a captioned method.

        Returns:
            The present origin, then those of earlier versions of the code that give the same outputs.
        """
        present = Origin(
            **self._code(),
            parameters=self.variant.parameters,
            weights={role: installed.sha256[:16] for role, installed in (weights or {}).items()},
            dtype=(execution.dtype or "") if execution is not None else "",
            compiled=execution is not None and execution.compiled,
            captions=captions,
        )
        versions = self.manifest.environment.earlier_versions if present.code_sha256 else ()
        return [present, *(msgspec.structs.replace(present, code_sha256=version) for version in versions)]

    def _code(self) -> dict[str, str]:
        environment, upstream = self.manifest.environment, self.manifest.upstream
        if isinstance(environment, Isolated):
            return {
                "code": environment.adapter,
                "code_sha256": self._code_version() or "",
                "repository": upstream.repository if upstream is not None else "",
                "commit": upstream.commit[:12] if upstream is not None else "",
                "python": environment.python,
                "lock": environment.lock,
                "lock_sha256": code_version(self.file("lock", environment.lock).read_bytes()),
            }
        return {"code": environment.entry, "code_sha256": self._code_version() or ""}

    def _code_version(self) -> str | None:
        """Return the version of the method's code beside the manifest; None where a package holds the code."""
        environment = self.manifest.environment
        if isinstance(environment, Isolated):
            return code_version(self.file("adapter", environment.adapter).read_bytes())
        file = self.folder / environment.entry.partition(":")[0]
        return code_version(file.read_bytes()) if file.is_file() else None

    def check_use(self, dataset: str, scale: int, execution: Execution, *, own_weights: bool = False) -> None:
        """Check that a method can be run as it is asked for.

        Args:
            dataset: Name of the data set.
            scale: Magnification of the data set.
            execution: How the method's networks are to run.
            own_weights: Whether the user gives weights.

        Raises:
            BenchError: The magnifications differ, or an argument means nothing to the method.
        """
        if self.manifest.scale != scale:
            raise BenchError(f"method '{self.name}' magnifies {self.manifest.scale} times, {dataset} needs {scale}")
        self.check_execution(execution, own_weights=own_weights)

    def check_execution(self, execution: Execution, *, own_weights: bool = False) -> None:
        """Check that every argument about networks means something to the method; see `check_use`."""
        asked: dict[str, object] = {"dtype": execution.dtype, "compiled": execution.compiled}
        why = "runs no networks"
        if self.manifest.isolated:
            asked["batch"] = execution.batch
            why = "runs as its authors' code does, an output at a time"
        for argument, value in asked.items():
            if value and not self.manifest.in_process_networks:
                raise BenchError(f"`{argument}`: method '{self.name}' {why}; leave it out")
        if own_weights and not self.variant.weights:
            raise BenchError(f"`weights`: method '{self.name}' has no weights; leave it out")

    def file(self, field: str, name: str) -> Path:
        """Return a file beside the manifest.

        Args:
            field: The field of the manifest that names the file, for the error.
            name: The file's name.

        Raises:
            BenchError: The file does not exist, or lies outside the method's folder.
        """
        path = self.folder / name
        if not path.resolve().is_relative_to(self.folder.resolve()):
            raise BenchError(f"{self.folder / 'method.toml'}: {field} = '{name}' leads out of the method's folder")
        if not path.is_file():
            raise BenchError(f"{path}: no such file; `{field}` in {self.folder / 'method.toml'} names it")
        return path

    def find_weights(self, own: Path | None = None) -> dict[str, InstalledWeights]:
        """Find the variant's weights, by role.

        Args:
            own: The user's own folder of weights; those that `prepare` installed when None.

        Raises:
            NotInstalledError: Weights are missing; the message names them all, and says how to get them.
        """
        found, missing = {}, []
        for role, name in self.variant.weights.items():
            weights = self.manifest.weights[name]
            try:
                found[role] = own_weights(name, weights, own) if own is not None else installed_weights(name, weights)
            except NotInstalledError as error:
                missing.append(str(error))
            except BenchError as error:
                raise BenchError(f"method '{self.name}': {error}") from error
        if missing:
            raise NotInstalledError(f"method '{self.name}': {', '.join(missing)}; {self._advice(own)}")
        return found

    def _advice(self, own: Path | None) -> str:
        if own is not None:
            return "give `weights` the folder that holds it"
        return f"run `ccsr-bench prepare --method {self.name}`"


def code_version(code: bytes) -> str:
    """Return the version that `MethodSpec.made_by` names for some code, and manifests in ``earlier_versions``."""
    return hashlib.sha256(code).hexdigest()[:16]


def find_methods(extra: Folders = ()) -> dict[str, MethodSpec]:
    """Return every variant that can be found, by name; nothing is loaded.

    Args:
        extra: A folder of methods to look in beside the usual ones, or several.

    Raises:
        BenchError: A folder holds no methods, a manifest is wrong, or two variants, or two different weights, have the
            same name.
    """
    given = [_folder(extra)] if isinstance(extra, (str, os.PathLike)) else [_folder(folder) for folder in extra]
    return _read(_manifest_paths(given))


def find_method(name: str, extra: Folders = ()) -> MethodSpec:
    """Return one variant by name.

    Args:
        name: The variant's name.
        extra: A folder of methods to look in beside the usual ones, or several.

    Raises:
        BenchError: There is no such method; near names are given.
    """
    methods = find_methods(extra)
    if name not in methods:
        raise unknown_name("method", name, methods, hint="`ccsr-bench list methods`")
    return methods[name]


def methods_in(folder: str | os.PathLike[str]) -> dict[str, MethodSpec]:
    """Return the variants that a folder defines, by name: one with a `method.toml`, or one that holds such folders.

    Raises:
        BenchError: The folder holds no methods, or a manifest is wrong.
    """
    path = _folder(folder)
    manifest = path.resolve() / "method.toml"
    if manifest.is_file():
        return _read([manifest])
    _check_folder(path)
    return _read(sorted(path.resolve().glob("*/method.toml")))


def _folder(given: object) -> Path:
    if not isinstance(given, (str, os.PathLike)):
        raise BenchError(f"{given!r}: no folder of methods; give its path")
    return Path(given)


def _read(manifests: Iterable[Path]) -> dict[str, MethodSpec]:
    found: dict[str, MethodSpec] = {}
    weights: dict[str, tuple[Weights, Path]] = {}
    for manifest_path in manifests:
        manifest = read_toml(manifest_path, MethodManifest)
        for name, described in manifest.weights.items():
            known, where = weights.setdefault(name, (described, manifest_path))
            if known != described:
                raise BenchError(
                    f"weights '{name}' are described differently in {where} and {manifest_path}: rename one"
                )
        for name, variant in manifest.variants.items():
            if name in found and found[name].folder != manifest_path.parent:
                raise BenchError(
                    f"method '{name}' is defined twice, in {found[name].folder} and {manifest_path.parent}: rename one"
                )
            found[name] = MethodSpec(name, manifest, variant, manifest_path.parent)
    return dict(sorted(found.items()))


def _manifest_paths(extra: Sequence[Path]) -> Iterator[Path]:
    own = [Path(part) for part in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if part]
    for folder in (*extra, *own):
        _check_folder(folder)
    for folder in dict.fromkeys(path.resolve() for path in (shipped("methods"), *own, *extra, *_installed_folders())):
        yield from sorted(folder.glob("*/method.toml"))


def _check_folder(folder: Path) -> None:
    """Raise a `BenchError` unless a folder holds folders of methods."""
    if not folder.is_dir():
        raise BenchError(f"{folder}: no such folder of methods")
    if not any(folder.glob("*/method.toml")):
        hint = f"; give {folder.resolve().parent}" if (folder / "method.toml").is_file() else ""
        raise BenchError(f"{folder}: no folder in it holds a method.toml{hint}")


def _installed_folders() -> Iterator[Path]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            module = point.load()
            yield Path(module.__file__).parent
        except Exception as error:
            _log.warning("entry point %s of group %s cannot be loaded: %s", point.name, ENTRY_POINT_GROUP, error)
