"""Arithmetic that every machine does alike: each operation of a network in float64, rounded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_OPERATIONS = (
    functional.conv2d,
    functional.linear,
    functional.scaled_dot_product_attention,
    functional.group_norm,
    functional.layer_norm,
    functional.silu,
    functional.gelu,
    functional.softmax,
    torch.bmm,
    torch.baddbmm,
    torch.matmul,
    torch.exp,
    torch.sin,
    torch.cos,
    torch.Tensor.mean,
    torch.Tensor.var,
)


class RoundedOnce(TorchFunctionMode):
    """Under it the order in which a machine adds up does not matter: float64 holds what float16 sums need and more."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func not in _OPERATIONS:
            return func(*args, **kwargs)
        kwargs.pop("dtype", None)  # a softmax asked for in float32 is one in float64 here
        widened = func(*(_widened(value) for value in args), **{name: _widened(v) for name, v in kwargs.items()})
        return widened.to(next(value.dtype for value in args if isinstance(value, torch.Tensor)))


def _widened(value: Any) -> Any:
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
