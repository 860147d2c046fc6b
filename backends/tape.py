"""PyTorch's two ways to differentiate: `torch.func` as a rule, `torch.autograd` for what that does not take.

It falls back on the exceptions in which torch says so, and on no other. The answer's remark says which it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends.autodiff import Autodiff, Function

NOT_TAKEN = (
    "In order to use an autograd.Function with functorch transforms",
    "You must implement the jvp function for custom autograd.Function",
)
"""How torch 2.13 begins to say that a function has a backward, and none that `torch.func` can use: an
`autograd.Function` without `setup_context` or `jvp`, and every `torch.library.custom_op`."""


class OrByTape(Autodiff):
    """What `torch.py` builds its transforms on."""

    torch: Any
    inside = False
    """Of one of its transforms."""

    def either(self, by_func: Callable[[], Any], by_autograd: Callable[[], Any]) -> Any:
        """By `torch.func`; where it says that it does not take the function, by `torch.autograd`, and say so."""
        if self.inside:  # of a transform: the outermost is done in the other way as a whole
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
        """J·t without forward mode: Jᵀ·u is linear in u, and its transpose is J."""
        inputs = self.watched(x)
        values = function(inputs)
        u = self.torch.zeros_like(values).requires_grad_()
        pulled = self.torch.autograd.grad(values, inputs, u, create_graph=True)[0]
        return self.torch.autograd.grad(pulled, u, tangent, create_graph=True)[0]

    def watched(self, x: Any) -> Any:
        """What gradients flow to; itself where they do already."""
        return x if x.requires_grad else x.detach().requires_grad_()
