"""PyTorch on the CPU: its own kernels, `torch.autograd` and `torch.func`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backends import textbook
from backends.autodiff import Function, ReverseOverReverse
from backends.base import METHODS, NEXT_WIDER, threads
from backends.tape import OrByTape


class Torch(OrByTape):
    framework = "torch"
    dtypes = ("float64", "float32", "float16", "bfloat16")
    layouts = ("transposed", "strided", "offset", "broadcast")  # it has no negative strides

    def __init__(self) -> None:
        import torch
        from array_api_compat import torch as xp

        torch.set_num_threads(threads())
        self.torch, self.xp, self.version = torch, xp, torch.__version__
        self.functional = torch.nn.functional

    def from_numpy(self, array: Any) -> Any:
        if array.dtype.name == "bfloat16":  # torch converts only NumPy's own types
            return self.torch.from_numpy(array.view("uint16")).view(self.torch.bfloat16)
        return self.torch.from_numpy(array)

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

    def cross_entropy(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        losses = self.functional.cross_entropy(self.flat(logits, axis), labels.reshape(-1), reduction=reduction)
        return losses.reshape(labels.shape) if reduction == "none" else losses

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        rows = (self.flat(logits, axis), self.flat(distribution, axis))
        losses = self.functional.cross_entropy(*rows, reduction=reduction)
        return losses.reshape(self.entry(logits, 0, axis).shape) if reduction == "none" else losses

    def mean_squared_error(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        chosen = self.softmax(logits, axis).gather(axis, labels.unsqueeze(axis))
        return self.functional.mse_loss(chosen, self.torch.ones_like(chosen), reduction=reduction)

    def linear(self, inputs: Any, weights: Any) -> Any:
        return self.functional.linear(inputs, weights)

    def gradient(self, function: Function, x: Any) -> Any:
        func = self.torch.func
        return self.either(
            lambda: func.grad(lambda x: function(x).sum())(x), lambda: self.pulled(lambda x: function(x).sum(), x)
        )

    def pull_back(self, function: Function, x: Any, cotangent: Any) -> Any:
        func = self.torch.func
        return self.either(lambda: func.vjp(function, x)[1](cotangent)[0], lambda: self.pulled(function, x, cotangent))

    def push_forward(self, function: Function, x: Any, tangent: Any) -> Any:
        func = self.torch.func
        return self.either(
            lambda: func.jvp(function, (x,), (tangent,))[1], lambda: self.pulled_twice(function, x, tangent)
        )

    def row_jacobians(self, function: Callable[[Any, int], Any], x: Any, axis: int) -> Any:
        """Return each row's Jacobian. Rows do not depend on each other, so the Jacobian of their sum holds them all."""
        columns = self.torch.autograd.functional.jacobian(lambda x: self.flat(function(x, axis), axis).sum(0), x)
        return self.xp.moveaxis(self.xp.moveaxis(columns, axis % x.ndim + 1, -1), 0, -2)

    def whole_jacobian(self, function: Function, x: Any) -> Any:
        torch = self.torch
        return self.either(
            lambda: torch.func.jacrev(function)(x), lambda: torch.autograd.functional.jacobian(function, x)
        ).flatten(-2)

    def entry(self, values: Any, index: int, axis: int) -> Any:
        return values.select(axis, index)

    def flat(self, values: Any, axis: int) -> Any:
        """Return the values as (rows, n), with n along the axis."""
        return self.xp.moveaxis(values, axis, -1).reshape(-1, values.shape[axis])

    def row_by_row(self, differentiate: Any, logits: Any, axis: int) -> Any:
        """Apply the transform to softmax of one row, and map it over all rows."""
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
    """The Jacobian by one backward pass per output, as one writes it before knowing `torch.func`."""

    variant, operations, largest_n = "loop", ("jacobian",), 64

    def jacobian(self, logits: Any, axis: int) -> Any:
        x = logits.clone().requires_grad_()
        outputs = self.flat(self.softmax(x, axis), axis).sum(0)
        rows = [self.torch.autograd.grad(output, x, retain_graph=True)[0] for output in outputs]
        return self.torch.stack([self.xp.moveaxis(row, axis, -1) for row in rows], dim=-2)


class Reverse(ReverseOverReverse, Torch):
    """Second derivatives by `torch.func.vjp` of itself."""


class Dtype(Torch):
    """The argument `dtype=`, set to the next wider format, into which the logits are cast first."""

    variant, operations = "dtype", ("softmax", "log_softmax")
    answers_in = NEXT_WIDER

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.torch.softmax(logits, axis, dtype=self.wider(logits))

    def log_softmax(self, logits: Any, axis: int) -> Any:
        return self.torch.log_softmax(logits, axis, dtype=self.wider(logits))

    def wider(self, logits: Any) -> Any:
        return getattr(self.torch, self.answers_in[str(logits.dtype).removeprefix("torch.")])


class Out(Torch):
    """The argument `out=`, set to every other element of a buffer whose dimensions are reversed in memory."""

    variant, operations = "out", ("softmax", "log_softmax", "logsumexp")

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.written(self.torch.softmax, logits, axis, logits.shape)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        return self.written(self.torch.log_softmax, logits, axis, logits.shape)

    def logsumexp(self, logits: Any, axis: int) -> Any:
        return self.written(self.torch.logsumexp, logits, axis, self.entry(logits, 0, axis).shape)

    def written(self, function: Any, logits: Any, axis: int, shape: Any) -> Any:
        """Return the answer. Raise RuntimeError if anything beside it in the buffer was written to."""
        buffer = self.torch.full((*reversed(shape), 2), self.torch.nan, dtype=logits.dtype)
        answer = function(logits, axis, out=buffer[..., 0].permute(tuple(reversed(range(len(shape))))))
        if not buffer[..., 1].isnan().all():
            raise RuntimeError("it wrote beside its output")
        return answer


class Compile(Torch):
    """Every operation by `torch.compile`, which takes 1 to 14 s a program, so it is asked only on request."""

    variant, by_default, compiles, program_seconds = "compile", False, True, 5.0

    def __init__(self) -> None:
        super().__init__()
        for method in METHODS:
            setattr(self, method, self.torch.compile(getattr(self, method), dynamic=False))

    def either(self, by_func: Callable[[], Any], by_autograd: Callable[[], Any]) -> Any:
        return by_func()


BACKENDS = (Torch, JacRev, JacFwd, Loop, Reverse, Dtype, Out, Compile, *textbook.variants(Torch))
