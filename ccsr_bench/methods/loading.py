"""Loading a method with everything that it needs, in the process of ccsr-bench or in a separate process."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ccsr_bench.errors import BenchError, NotInstalledError
from ccsr_bench.methods import captions, in_process
from ccsr_bench.methods.base import Execution, Method
from ccsr_bench.methods.isolated import checkouts, environments
from ccsr_bench.methods.isolated.host import IsolatedCaptioner, IsolatedMethod, Launch
from ccsr_bench.methods.manifest import Isolated
from ccsr_bench.methods.registry import MethodSpec
from ccsr_bench.methods.weights import InstalledWeights
from ccsr_bench.places import worker_log


def load_method(
    spec: MethodSpec,
    execution: Execution | None = None,
    weights: Mapping[str, InstalledWeights] | None = None,
    *,
    log: Path | None = None,
    caption: Callable[[np.ndarray], str] | None = None,
) -> Method | IsolatedMethod:
    """Load a method. A method that runs in a separate process must be closed.

    Args:
        spec: Method to load.
        execution: Settings of the method's networks; they run on the CPU when None.
        weights: Installed weights by role; those that `MethodSpec.find_weights` returns when None.
        log: File for the output of official code; a file in the cache folder when None.
        caption: Function that returns the caption of an LR image, for a captioned method; it returns the captions that
            `ccsr-bench caption` made when None.

    Raises:
        BenchError: The method cannot be loaded.
    """
    execution = execution or Execution()
    weights = spec.find_weights() if weights is None else weights
    if not spec.manifest.isolated:
        return in_process.load_in_process(spec, execution, weights)
    read_caption = (caption or captions.caption_reader(spec)) if spec.variant.captioned else None
    settings = launch_settings(spec, weights, device=execution.device, log=log or worker_log(spec.name))
    method = IsolatedMethod(settings, read_caption)
    _start(spec, method)
    return method


def load_captioner(
    spec: MethodSpec, weights: Mapping[str, InstalledWeights], *, device: str, log: Path
) -> IsolatedCaptioner:
    """Load a captioner, which must be closed.

    Args:
        spec: Captioner to load, as returned by `MethodSpec.captioner`.
        weights: Installed weights by role, as returned by `MethodSpec.find_weights`.
        device: Device of the captioner's networks.
        log: File for the output of official code.

    Raises:
        BenchError: The captioner cannot be loaded.
    """
    captioner = IsolatedCaptioner(launch_settings(spec, weights, device=device, log=log))
    _start(spec, captioner)
    return captioner


def _start(spec: MethodSpec, model: IsolatedMethod | IsolatedCaptioner) -> None:
    try:
        model.start()
    except BenchError as error:
        raise BenchError(f"method '{spec.name}': {error}") from error


def launch_settings(spec: MethodSpec, weights: Mapping[str, InstalledWeights], *, device: str, log: Path) -> Launch:
    """Return the settings that an isolated method's worker is started with.

    Raises:
        NotInstalledError: The method's environment or official code is missing; the message names what is missing and
            says how to get it.
        BenchError: The environment or the code differs from what the manifest names.
    """
    environment, upstream = spec.manifest.environment, spec.manifest.upstream
    if not isinstance(environment, Isolated):
        raise BenchError(f"method '{spec.name}' runs in the process of ccsr-bench, not in a separate one")
    interpreter, source, missing = None, None, []
    try:
        interpreter = environments.find_interpreter(environment.python, spec.file("lock", environment.lock))
    except NotInstalledError as error:
        missing.append(str(error))
    try:
        source = checkouts.find_source(spec.manifest.id, upstream) if upstream is not None else None
    except NotInstalledError as error:
        missing.append(str(error))
    if interpreter is None or missing:
        raise NotInstalledError(
            f"method '{spec.name}': {', '.join(missing)}; run `ccsr-bench prepare --method {spec.name}`"
        )
    return Launch(
        interpreter=interpreter,
        adapter=spec.file("adapter", environment.adapter),
        log=log,
        source=source,
        weights={role: installed.folder for role, installed in weights.items()},
        device=device,
        parameters=spec.variant.parameters,
        start_seconds=environment.start_seconds,
        image_seconds=environment.image_seconds,
        idle_seconds=environment.idle_seconds,
    )


def check_installed(spec: MethodSpec) -> None:
    """Check that everything a method needs is installed, without loading it.

    Raises:
        BenchError: Something is missing; the message names everything that is.
    """
    missing = []
    for part in (spec, spec.captioner) if spec.variant.captioned else (spec,):
        for check in (part.find_weights, functools.partial(check_runtime, part)):
            try:
                check()
            except BenchError as error:
                missing.append(str(error))
    if missing:
        raise BenchError("; ".join(missing))


def check_runtime(spec: MethodSpec) -> None:
    """Check that the libraries, the environment and the official code that a method needs are installed.

    Raises:
        BenchError: Something is missing; the message says how to get it.
    """
    if isinstance(spec.manifest.environment, Isolated):
        launch_settings(spec, {}, device="cpu", log=Path())
    else:
        in_process.check_libraries(spec)
