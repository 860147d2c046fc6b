"""`torch.testing.assert_close` and `torch.autograd.gradcheck`, slow and fast, with their defaults.

gradcheck compares a derivative with central differences of its own function. The step is 1e-6, atol 1e-5, rtol 1e-3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from backends.peers import first_line

Function = Callable[..., Any]


def assert_close(actual: Any, expected: Any) -> str:
    """Compare values, shapes and dtypes. rtol and atol are 1.3e-6 and 1e-5 in float32, 1e-7 and 1e-7 in float64."""
    import torch

    try:
        torch.testing.assert_close(tensor(actual), tensor(expected))
    except (AssertionError, TypeError) as error:
        return first_line(error)
    return ""


def gradcheck(function: Function, x: Any, pull: Function | None, push: Function | None, fast_mode: bool = False) -> str:
    """Check `function` at x against the given derivative: `pull(x, cotangent)` or `push(x, tangent)`."""
    import torch

    wrapped = as_autograd(function, pull, push)
    point = torch.from_numpy(x.copy()).requires_grad_()
    modes = {"check_forward_ad": True, "check_backward_ad": False} if push else {}
    torch.manual_seed(0)  # fast_mode draws its directions
    try:
        torch.autograd.gradcheck(wrapped, (point,), fast_mode=fast_mode, **modes)
    except Exception as error:  # what a derivative raises inside of it counts too
        return first_line(error)
    return ""


def as_autograd(function: Function, pull: Function | None, push: Function | None) -> Function:
    """Wrap NumPy's function with NumPy's derivative as a function of torch's autograd."""
    import torch

    class Wrapped(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return tensor(function(x.detach().numpy()))

        @staticmethod
        def backward(ctx: Any, cotangent: Any) -> Any:
            assert pull is not None
            return tensor(pull(ctx.saved_tensors[0].detach().numpy(), cotangent.detach().numpy()))

        @staticmethod
        def jvp(ctx: Any, tangent: Any) -> Any:
            assert push is not None
            return tensor(push(ctx.saved_tensors[0].detach().numpy(), tangent.detach().numpy()))

    apply: Function = Wrapped.apply
    return apply


def tensor(array: Any) -> Any:
    """Return a tensor with a copy of the values. bfloat16 is copied by its bits."""
    import torch

    values = np.array(array)
    if values.dtype.name == "bfloat16":
        return torch.from_numpy(values.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(values)


VALUES = {"torch.testing.assert_close": assert_close}
GRADIENTS = {"gradcheck": gradcheck, "gradcheck fast_mode": partial(gradcheck, fast_mode=True)}
