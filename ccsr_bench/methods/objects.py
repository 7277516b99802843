"""Finding methods that a Python caller gives as a name, a folder, or a class or an object with `restore`."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.manifest import InProcess, MethodManifest
from ccsr_bench.methods.registry import Folders, MethodSpec, code_version, find_method, find_methods, methods_in


@dataclass(frozen=True)
class ObjectSpec(MethodSpec):
    """A method that was given as a class or an object."""

    build: Callable[[], Any]
    """Function that returns the method."""
    version: str | None
    """Version of the class's code; None if its source is not known."""

    @property
    def defined_in(self) -> str:
        """See `MethodSpec`."""
        assert isinstance(self.manifest.environment, InProcess)
        return self.manifest.environment.entry

    def _code_version(self) -> str | None:
        return self.version


def find_specs(method: object, *, name: str | None = None, methods_dir: Folders = ()) -> list[MethodSpec]:
    """Return the methods that a caller names, without loading them.

    Args:
        method: Name of a method; folder with a `method.toml`, or folder that contains such folders; `MethodSpec`; or
            class or object, see `from_object`.
        name: Name of a class or an object in results; see `from_object`.
        methods_dir: Folder of methods, or several, to search for the name in addition to the usual folders.

    Returns:
        One method, or for a folder every variant that it defines.

    Raises:
        BenchError: There is no such method.
    """
    if not isinstance(method, (str, os.PathLike, MethodSpec)):
        return [from_object(method, name)]
    if name is not None:
        raise BenchError(f"`name` is for a class or an object; {method!r} has names of its own")
    if isinstance(method, MethodSpec):
        return [method]
    if isinstance(method, str) and (method in find_methods(methods_dir) or not Path(method).is_dir()):
        return [find_method(method, methods_dir)]
    return list(methods_in(method).values())


def from_object(method: object, name: str | None = None) -> ObjectSpec:
    """Return the specification of a method that is a class or an object with `restore(lr, seeds)`.

    See `ccsr_bench.methods.base.Method` for `restore`. Optional attributes are ``scale`` (4 by default), ``stochastic``
    (whether outputs depend on the seed, True by default) and ``parameters`` (a dictionary of settings). A ledger
    identifies the method by its class, the source file of the class and ``parameters``: objects of one class that give
    different outputs need different parameters or names.

    Args:
        method: Class, which is called without arguments when the method is loaded, or object.
        name: Name of the method in results; the class's name in kebab-case when None.

    Raises:
        BenchError: The class has no `restore`, or an attribute or the name is not valid.
    """
    kind = method if isinstance(method, type) else type(method)
    if not callable(getattr(method, "restore", None)):
        raise BenchError(
            f"{method!r} is not a method: give a name, a folder with a method.toml, or a class or an object with "
            f"`restore(lr, seeds)`"
        )
    if name is None:
        if kind.__module__.startswith("ccsr_bench."):
            raise BenchError(f"{method!r}: several methods have this class; give the `name` of the intended method")
        name = _kebab_case(kind.__name__)
    manifest = _manifest(method, kind, name)
    return ObjectSpec(
        name=name,
        manifest=manifest,
        variant=manifest.variants[name],
        folder=Path(),
        build=method if isinstance(method, type) else lambda: _BorrowedObject(method),
        version=_version(kind),
    )


def _manifest(method: object, kind: type, name: str) -> MethodManifest:
    entry = f"{kind.__module__}:{kind.__qualname__}"
    parameters = getattr(method, "parameters", {})  # a torch module has a function of this name
    variant = {"title": name, "parameters": dict(parameters) if isinstance(parameters, Mapping) else {}}
    fields = {
        "id": name,
        "title": name,
        "licence": "",
        "scale": getattr(method, "scale", 4),
        "stochastic": getattr(method, "stochastic", True),
        "environment": {
            "kind": "in-process",
            "entry": "module:Class",
        },  # placeholder: the qualified name of a class in a function is not valid here
        "variants": {name: variant},
    }
    try:
        manifest = msgspec.json.decode(json.dumps(fields), type=MethodManifest)
    except (TypeError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise BenchError(f"{entry}: {error}; correct the attribute, or give another `name`") from error
    return msgspec.structs.replace(manifest, environment=InProcess(entry))


class _BorrowedObject:
    """Restores images by an object of the caller, without the `close` that only the caller may call."""

    def __init__(self, method: Any) -> None:
        self.restore = method.restore


def _kebab_case(name: str) -> str:
    """Return ``my-model`` for ``MyModel``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+", "-", name).strip("-").lower()


def _version(kind: type) -> str | None:
    """Return the version of a class's source file or, for a class in a notebook, of the source of its functions."""
    with contextlib.suppress(TypeError, OSError):  # a class without a source file, such as in a notebook
        if (file := inspect.getsourcefile(kind)) is not None:
            return code_version(Path(file).read_bytes())
    with contextlib.suppress(TypeError, OSError):
        functions = [value for value in vars(kind).values() if inspect.isfunction(value)]
        return code_version("".join(map(inspect.getsource, functions)).encode())
    return None
