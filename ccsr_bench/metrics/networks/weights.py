"""Reading the weights of metrics' networks, and loading them strictly into a network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from ccsr_bench.errors import BenchError, some
from ccsr_bench.install.hashing import TENSORS
from ccsr_bench.metrics import weight_files
from ccsr_bench.weights.tensors import compare_tensors, tensors_sha256
from ccsr_bench.weights.tensors import read_tensors as read_file


def read_tensors(metric: str, key: str) -> tuple[dict[str, Tensor], str]:
    """Read the tensors of a file that metrics use, on the CPU; no code in the file is executed.

    Returns:
        The tensors, without the prefix ``module.`` that parallel training adds to their names; and the words that
        identify them in a metric's definition: the hash of the tensors where it is known, otherwise that of the file.

    Raises:
        MetricUnavailableError: The file is missing.
        BenchError: The file does not hold the published weights.
    """
    file, path = weight_files.FILES[key], weight_files.find_weights(metric, key)
    expected = file.expected_sha256(path)
    if not expected.startswith(TENSORS):
        weight_files.verified_weights(metric, key)
    content = {name.removeprefix("module."): tensor for name, tensor in read_file(path, nested="params").items()}
    used = {name: tensor for name, tensor in content.items() if not (file.unused and name.startswith(file.unused))}
    if not file.tensors_sha256:
        return used, f"{file.name} sha256 {file.sha256[:12]}"
    sha256 = tensors_sha256(used)
    if expected.startswith(TENSORS) and TENSORS + sha256 != expected:
        raise BenchError(f"{path}: wrong tensors: these are not the published weights; delete it and prepare again")
    return used, f"{file.title}, tensors sha256 {sha256[:12]}"


def load_strictly(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Load exactly the tensors of a network, and switch it to evaluation mode.

    Args:
        network: Network whose parameters and buffers are replaced.
        tensors: Tensors by the network's own names.
        source: Name of the file, for errors.

    Raises:
        BenchError: A tensor is missing, unknown, or of another shape.
    """
    wanted = network.state_dict()
    missing, foreign, reshaped = compare_tensors(wanted, tensors)
    if missing or foreign:
        parts = [
            f"{what} {some(names)} ({len(names)})"
            for what, names in (("lacks", missing), ("also has", foreign))
            if names
        ]
        raise BenchError(f"{source}: {' and '.join(parts)}: these are weights of another network; prepare again")
    for name in reshaped:
        raise BenchError(
            f"{source}: {name} is {tuple(tensors[name].shape)}, not {tuple(wanted[name].shape)}: these are weights of "
            f"another network; prepare again"
        )
    network.load_state_dict(dict(tensors), strict=True, assign=False)
    network.eval()
