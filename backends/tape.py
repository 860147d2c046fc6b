"""PyTorch's two ways to differentiate: `torch.func`, and `torch.autograd` for functions that `torch.func` rejects.

It falls back only on the exceptions in which torch says so. The answer's remark says that it fell back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.autodiff import Autodiff, Function

NOT_TAKEN = (
    "In order to use an autograd.Function with functorch transforms",
    "You must implement the jvp function for custom autograd.Function",
)
"""How messages of torch 2.13 begin for a function that has a backward, but none that `torch.func` can use.

Such functions are an `autograd.Function` without `setup_context` or `jvp`, and every `torch.library.custom_op`.
"""


class OrByTape(Autodiff):
    """The base class of `torch.py`'s adapter, with the fallback for its transforms."""

    torch: Any
    inside = False
    """True while one of its transforms is running."""

    def either(self, by_func: Callable[[], Any], by_autograd: Callable[[], Any]) -> Any:
        """Return `by_func()`; if `torch.func` rejects the function, return `by_autograd()` and set the remark."""
        if self.inside:  # the outermost transform falls back as a whole
            return by_func()
        self.inside = True
        try:
            return by_func()
        except (RuntimeError, NotImplementedError) as error:
            if not str(error).startswith(NOT_TAKEN):
                raise
        finally:
            self.inside = False
        self.remark = "differentiated by torch.autograd.grad, since torch.func does not take the function"
        return by_autograd()

    def pulled(self, function: Function, x: Any, cotangent: Any = None) -> Any:
        inputs = self.watched(x)
        return self.torch.autograd.grad(function(inputs), inputs, cotangent, create_graph=True)[0]

    def pulled_twice(self, function: Function, x: Any, tangent: Any) -> Any:
        """Return J·t without forward mode: Jᵀ·u is linear in u, and its transpose is J."""
        inputs = self.watched(x)
        values = function(inputs)
        u = self.torch.zeros_like(values).requires_grad_()
        pulled = self.torch.autograd.grad(values, inputs, u, create_graph=True)[0]
        return self.torch.autograd.grad(pulled, u, tangent, create_graph=True)[0]

    def watched(self, x: Any) -> Any:
        """Return an array that gradients flow to: x itself if they already do."""
        return x if x.requires_grad else x.detach().requires_grad_()
