"""PyTorch on the CPU: its own kernels, `torch.autograd` and `torch.func`."""

from __future__ import annotations

from typing import Any

from backends import textbook
from backends.base import OPERATIONS, Backend


class Torch(Backend):
    framework = "torch"
    dtypes = ("float64", "float32", "float16", "bfloat16")

    def __init__(self) -> None:
        import torch
        from array_api_compat import torch as xp

        torch.set_num_threads(1)
        self.torch, self.xp, self.version = torch, xp, torch.__version__

    def from_numpy(self, array: Any) -> Any:
        if array.dtype.name == "bfloat16":  # torch reads and writes NumPy's own types alone
            return self.torch.tensor(array.view("uint16")).view(self.torch.bfloat16)
        return self.torch.tensor(array)

    def to_numpy(self, array: Any) -> Any:
        if array.dtype == self.torch.bfloat16:
            import ml_dtypes

            return array.detach().view(self.torch.uint16).numpy().view(ml_dtypes.bfloat16)
        return array.detach().numpy()

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.torch.softmax(logits, axis)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        return self.torch.log_softmax(logits, axis)

    def logsumexp(self, logits: Any, axis: int) -> Any:
        return self.torch.logsumexp(logits, axis)

    def jacobian(self, logits: Any, axis: int) -> Any:
        """Rows do not depend on each other, so the Jacobian of their sum holds every row's own."""

        def summed(x: Any) -> Any:
            return self.xp.moveaxis(self.softmax(x, axis), axis, -1).reshape(-1, x.shape[axis]).sum(0)

        columns = self.torch.autograd.functional.jacobian(summed, logits)
        return self.xp.moveaxis(self.xp.moveaxis(columns, axis % logits.ndim + 1, -1), 0, -2)

    def jacobian_row(self, logits: Any, index: int, axis: int) -> Any:
        x = logits.clone().requires_grad_()
        (gradient,) = self.torch.autograd.grad(self.softmax(x, axis).select(axis, index).sum(), x)
        return self.xp.moveaxis(gradient, axis, -1)

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        _, pull_back = self.torch.func.vjp(lambda x: self.softmax(x, axis), logits)
        return pull_back(cotangent)[0]

    def jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        return self.torch.func.jvp(lambda x: self.softmax(x, axis), (logits,), (tangent,))[1]

    def cross_entropy(self, logits: Any, labels: Any, axis: int) -> Any:
        rows = self.xp.moveaxis(logits, axis, -1).reshape(-1, logits.shape[axis])
        losses = self.torch.nn.functional.cross_entropy(rows, labels.reshape(-1), reduction="none")
        return losses.reshape(labels.shape)

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int) -> Any:
        x = logits.clone().requires_grad_()
        return self.torch.autograd.grad(self.cross_entropy(x, labels, axis).sum(), x)[0]

    def row_by_row(self, differentiate: Any, logits: Any, axis: int) -> Any:
        """The transform of one row's softmax, mapped over all rows."""
        mapped = differentiate(lambda row: self.softmax(row, -1))
        for _ in range(logits.ndim - 1):
            mapped = self.torch.vmap(mapped)
        return mapped(self.xp.moveaxis(logits, axis, -1))


class JacRev(Torch):
    variant, operations = "jacrev", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.torch.func.jacrev, logits, axis)


class JacFwd(Torch):
    variant, operations = "jacfwd", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.torch.func.jacfwd, logits, axis)


class Loop(Torch):
    """One backward pass an output, as one writes it before knowing `torch.func`."""

    variant, operations, largest_n = "loop", ("jacobian",), 64

    def jacobian(self, logits: Any, axis: int) -> Any:
        rows = [self.jacobian_row(logits, index, axis) for index in range(logits.shape[axis])]
        return self.torch.stack(rows, dim=-2)


class Compile(Torch):
    """`torch.compile` of every operation: 1 to 14 s a program, so only on request."""

    variant, by_default, program_seconds = "compile", False, 5.0

    def __init__(self) -> None:
        super().__init__()
        for operation in OPERATIONS:
            setattr(self, operation, self.torch.compile(getattr(self, operation), dynamic=False))


BACKENDS = (Torch, JacRev, JacFwd, Loop, Compile, *textbook.variants(Torch))
