"""Loading a method that runs inside our own process."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import cast

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.manifest import Method
from ccsr_bench.methods.registry import MethodSpec


def load_method(spec: MethodSpec) -> Method:
    """Load a method.

    Raises:
        BenchError: Its code cannot be imported, or does not accept the variant's parameters.
    """
    where = f"method '{spec.name}' ({spec.folder / 'method.toml'})"
    module_name, _, attribute = spec.manifest.environment.entry.partition(":")
    try:
        build = getattr(_import(spec, module_name), attribute)
        method = build(**spec.variant.parameters)
    except (BenchError, KeyboardInterrupt):
        raise
    except BaseException as error:  # code of others may even call sys.exit
        raise BenchError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(getattr(method, "restore", None)):
        raise BenchError(f"{where}: {spec.manifest.environment.entry} has no method `restore`")
    return cast("Method", method)


def _import(spec: MethodSpec, module_name: str) -> ModuleType:
    if not module_name.endswith(".py"):
        return importlib.import_module(module_name)
    path = spec.folder / module_name
    unique = f"ccsr_bench_method_{spec.manifest.id.replace('-', '_')}_{path.stem}"
    file_spec = importlib.util.spec_from_file_location(unique, path)
    if file_spec is None or file_spec.loader is None or not path.is_file():
        raise BenchError(f"{path}: named by method '{spec.name}' but not there")
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[unique] = module  # dataclasses and pickling look a class's module up here
    file_spec.loader.exec_module(module)
    return module
