"""Loading a method that runs in the process of ccsr-bench."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import cast

from ccsr_bench.errors import BenchError
from ccsr_bench.methods.base import Execution, Method
from ccsr_bench.methods.manifest import InProcess
from ccsr_bench.methods.objects import ObjectSpec
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.methods.weights import InstalledWeights


def load_in_process(spec: MethodSpec, execution: Execution, weights: Mapping[str, InstalledWeights]) -> Method:
    """Load a method that runs in the process of ccsr-bench.

    Args:
        spec: Method to load.
        execution: Settings of the method's networks, ignored for a method without networks.
        weights: Installed weights by role, as returned by `MethodSpec.find_weights`.

    Raises:
        BenchError: The method's code cannot be imported, or does not accept the variant's parameters.
    """
    where = f"method '{spec.name}' ({spec.defined_in})"
    try:
        method = spec.build() if isinstance(spec, ObjectSpec) else _build(spec, execution, weights)
    except KeyboardInterrupt:
        raise
    except BenchError as error:
        raise BenchError(f"{where}: {error}") from error
    except BaseException as error:  # third-party code may even call sys.exit
        raise BenchError(f"{where} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(getattr(method, "restore", None)):
        raise BenchError(f"{where}: {_environment(spec).entry} has no method `restore`")
    return cast("Method", method)


def _build(spec: MethodSpec, execution: Execution, weights: Mapping[str, InstalledWeights]) -> object:
    arguments = dict(spec.variant.parameters)
    if spec.manifest.in_process_networks:
        arguments["execution"] = execution
    if spec.variant.weights:
        arguments["weights"] = {role: installed.folder for role, installed in weights.items()}
    module, attribute = _entry(spec)
    return getattr(module, attribute)(**arguments)


def count_parameters(spec: MethodSpec) -> dict[str, int]:
    """Return network -> number of parameters, empty if the method's code does not count them; needs no weights.

    Raises:
        BenchError: The method's code cannot be imported.
    """
    if not spec.manifest.in_process_networks:
        return {}
    try:
        count = getattr(_entry(spec)[0], "parameter_counts", None)
        return dict(count()) if count is not None else {}
    except (BenchError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise BenchError(f"method '{spec.name}': cannot count parameters: {type(error).__name__}: {error}") from error


def check_libraries(spec: MethodSpec) -> None:
    """Check that the libraries of a method are installed; raises a `BenchError` if one is missing."""
    if spec.manifest.in_process_networks:
        check = getattr(_entry(spec)[0], "check_libraries", None)
        if check is not None:
            check()


def _environment(spec: MethodSpec) -> InProcess:
    environment = spec.manifest.environment
    if not isinstance(environment, InProcess):
        raise BenchError(
            f"method '{spec.name}' runs in a separate process; load it by `ccsr_bench.methods.loading.load_method`"
        )
    return environment


def _entry(spec: MethodSpec) -> tuple[ModuleType, str]:
    module_name, _, attribute = _environment(spec).entry.partition(":")
    return _import(spec, module_name), attribute


def _import(spec: MethodSpec, module_name: str) -> ModuleType:
    if not module_name.endswith(".py"):
        return importlib.import_module(module_name)
    path = spec.file("entry", module_name)
    unique = f"ccsr_bench_method_{spec.manifest.id.replace('-', '_')}_{path.stem}"
    file_spec = importlib.util.spec_from_file_location(unique, path)
    if file_spec is None or file_spec.loader is None:
        raise BenchError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(file_spec)
    sys.modules[unique] = module  # dataclasses and pickle look up the module of a class here
    file_spec.loader.exec_module(module)
    return module
