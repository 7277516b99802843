"""Finding methods: those that ship with ccsr-bench, the user's own methods, and those of installed packages."""

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
from ccsr_bench.install.hashing import shortened
from ccsr_bench.ledger.records import CaptionOrigin, Origin
from ccsr_bench.manifests import read_toml
from ccsr_bench.methods.base import Execution
from ccsr_bench.methods.manifest import Isolated, MethodManifest, Variant, Weights
from ccsr_bench.methods.weights import InstalledWeights, installed_weights, own_weights
from ccsr_bench.places import shipped

ENTRY_POINT_GROUP = "ccsr_bench.methods"
"""Entry point group of packages that contain methods: an entry point names the package with the methods' folders."""

FOLDERS_VARIABLE = "CCSR_BENCH_METHODS"
"""Environment variable with the folders of the user's own methods, separated as in `PATH`."""

Folders = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A folder of methods, or several."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MethodSpec:
    """One variant of one family of methods, before it is loaded."""

    name: str
    manifest: MethodManifest
    variant: Variant
    folder: Path
    """Folder of the method's `method.toml`."""

    @property
    def defined_in(self) -> str:
        """The file or class that defines the method, for error messages."""
        return str(self.folder / "method.toml")

    @property
    def stochastic(self) -> bool:
        """Whether outputs depend on the seed."""
        return self.manifest.stochastic and not self.variant.deterministic

    @property
    def captioner(self) -> MethodSpec:
        """The captioner of the method's LR images, which is described like a method: by code, packages and weights.

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
        """Return the origin of the outputs: the code, parameters, weights and precision that determine them.

        Code beside the manifest is identified by its hash; the version of code in a package is in the provenance.

        Args:
            execution: Settings of the method's networks.
            weights: Role -> installed weights.
            captions: Origin of the captions of the LR images, for a captioned method.

        Returns:
            The present origin, then those that earlier versions of the code, which give the same outputs, and earlier
            versions of ccsr-bench, which hashed weights in another way, recorded for the same outputs.
        """
        present = Origin(
            **self._code(),
            parameters=self.variant.parameters,
            weights={role: shortened(installed.sha256) for role, installed in (weights or {}).items()},
            dtype=(execution.dtype or "") if execution is not None else "",
            compiled=execution is not None and execution.compiled,
            captions=captions,
        )
        versions = self.manifest.environment.earlier_versions if present.code_sha256 else ()
        origins = [present, *(msgspec.structs.replace(present, code_sha256=version) for version in versions)]
        earlier = {role: shortened(found.earlier_sha256 or found.sha256) for role, found in (weights or {}).items()}
        if earlier != present.weights:
            origins += [msgspec.structs.replace(origin, weights=earlier) for origin in origins]
        return origins

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
        """Return the version of the method's code beside the manifest; None if the code is in a package."""
        environment = self.manifest.environment
        if isinstance(environment, Isolated):
            return code_version(self.file("adapter", environment.adapter).read_bytes())
        file = self.folder / environment.entry.partition(":")[0]
        return code_version(file.read_bytes()) if file.is_file() else None

    def check_use(self, dataset: str, scale: int, execution: Execution, *, own_weights: bool = False) -> None:
        """Check that a method supports a data set and the settings of a run.

        Args:
            dataset: Name of the data set.
            scale: Magnification of the data set.
            execution: Settings of the method's networks.
            own_weights: Whether the user gives weights.

        Raises:
            BenchError: The magnifications differ, or a setting does not apply to the method.
        """
        if self.manifest.scale != scale:
            raise BenchError(f"method '{self.name}' magnifies {self.manifest.scale} times, {dataset} needs {scale}")
        self.check_execution(execution, own_weights=own_weights)

    def check_execution(self, execution: Execution, *, own_weights: bool = False) -> None:
        """Check that every given setting of networks applies to the method; see `check_use`."""
        settings: dict[str, object] = {"dtype": execution.dtype, "compiled": execution.compiled}
        reason = "runs no networks"
        if self.manifest.isolated:
            settings["batch"] = execution.batch
            reason = "runs its authors' code unchanged, one output at a time"
        for argument, value in settings.items():
            if value and not self.manifest.in_process_networks:
                raise BenchError(f"`{argument}`: method '{self.name}' {reason}; leave it out")
        if own_weights and not self.variant.weights:
            raise BenchError(f"`weights`: method '{self.name}' has no weights; leave it out")

    def file(self, field: str, name: str) -> Path:
        """Return a file beside the manifest.

        Args:
            field: Field of the manifest that names the file, for the error.
            name: Name of the file.

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
        """Return the variant's weights by role.

        Args:
            own: Folder of the user's own weights; the weights that `prepare` installed when None.

        Raises:
            NotInstalledError: Weights are missing; the message names all of them and says how to get them.
            BenchError: A file of weights was changed after its installation.
        """
        available, missing = {}, []
        for role, name in self.variant.weights.items():
            weights = self.manifest.weights[name]
            others = [self.manifest.weights[other] for other in self.variant.weights.values() if other != name]
            try:
                available[role] = (
                    own_weights(name, weights, own, others=others)
                    if own is not None
                    else installed_weights(name, weights)
                )
            except NotInstalledError as error:
                missing.append(str(error))
            except BenchError as error:
                raise BenchError(f"method '{self.name}': {error}") from error
        if missing:
            raise NotInstalledError(f"method '{self.name}': {', '.join(missing)}; {self._advice(own)}")
        return available

    def _advice(self, own: Path | None) -> str:
        if own is not None:
            return "give the folder that contains it as `weights`"
        return f"run `ccsr-bench prepare --method {self.name}`"


def code_version(code: bytes) -> str:
    """Return the version of some code, as in `Origin.code_sha256` and in ``earlier_versions`` of manifests."""
    return hashlib.sha256(code).hexdigest()[:16]


def find_methods(extra: Folders = ()) -> dict[str, MethodSpec]:
    """Return all available variants by name, without loading them.

    Args:
        extra: Folder of methods, or several, to search in addition to the usual folders.

    Raises:
        BenchError: A folder contains no methods, a manifest is not valid, or two variants or two different weights have
            the same name.
    """
    given = [_folder(extra)] if isinstance(extra, (str, os.PathLike)) else [_folder(folder) for folder in extra]
    return _read(_manifest_paths(given))


def find_method(name: str, extra: Folders = ()) -> MethodSpec:
    """Return one variant by name.

    Args:
        name: Name of the variant.
        extra: Folder of methods, or several, to search in addition to the usual folders.

    Raises:
        BenchError: There is no such method; the message names similar ones.
    """
    methods = find_methods(extra)
    if name not in methods:
        raise unknown_name("method", name, methods, hint="`ccsr-bench list methods`")
    return methods[name]


def methods_in(folder: str | os.PathLike[str]) -> dict[str, MethodSpec]:
    """Return the variants that a folder defines, by name.

    Args:
        folder: Folder with a `method.toml`, or folder that contains such folders.

    Raises:
        BenchError: The folder contains no methods, or a manifest is not valid.
    """
    path = _folder(folder)
    manifest = path.resolve() / "method.toml"
    if manifest.is_file():
        return _read([manifest])
    _check_folder(path)
    return _read(sorted(path.resolve().glob("*/method.toml")))


def _folder(given: object) -> Path:
    if not isinstance(given, (str, os.PathLike)):
        raise BenchError(f"{given!r}: not a folder of methods; give the path of one")
    return Path(given)


def _read(manifests: Iterable[Path]) -> dict[str, MethodSpec]:
    specs: dict[str, MethodSpec] = {}
    weights: dict[str, tuple[Weights, Path]] = {}
    for manifest_path in manifests:
        manifest = read_toml(manifest_path, MethodManifest)
        for name, description in manifest.weights.items():
            first, where = weights.setdefault(name, (description, manifest_path))
            if first != description:
                raise BenchError(
                    f"weights '{name}' are described differently in {where} and {manifest_path}: rename one"
                )
        for name, variant in manifest.variants.items():
            if name in specs and specs[name].folder != manifest_path.parent:
                raise BenchError(
                    f"method '{name}' is defined twice, in {specs[name].folder} and {manifest_path.parent}: rename one"
                )
            specs[name] = MethodSpec(name, manifest, variant, manifest_path.parent)
    return dict(sorted(specs.items()))


def _manifest_paths(extra: Sequence[Path]) -> Iterator[Path]:
    own = [Path(part) for part in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if part]
    for folder in (*extra, *own):
        _check_folder(folder)
    for folder in dict.fromkeys(path.resolve() for path in (shipped("methods"), *own, *extra, *_installed_folders())):
        yield from sorted(folder.glob("*/method.toml"))


def _check_folder(folder: Path) -> None:
    """Check that a folder contains folders of methods; raises a `BenchError` if not."""
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
