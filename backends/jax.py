"""JAX on the CPU, eager and jitted, with 64-bit types enabled in its own worker."""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import signature
from typing import Any, ClassVar

from backends import textbook
from backends.autodiff import Autodiff, Function, ReverseOverReverse
from backends.base import METHODS, threads


class Jax(Autodiff):
    framework = "jax"
    dtypes = ("float64", "float32", "float16", "bfloat16")
    layouts, compiles, program_seconds = (), True, 0.2
    # Measured, 0.10.2, eager and jitted.
    flushes_below: ClassVar = {"float64": -1022, "float32": -126, "bfloat16": -126}

    def __init__(self) -> None:
        os.environ["JAX_PLATFORMS"] = "cpu"
        if threads() == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"  # read once at import
        import jax

        jax.config.update("jax_enable_x64", True)
        self.jax, self.xp, self.version = jax, jax.numpy, jax.__version__

    def from_numpy(self, array: Any) -> Any:
        return self.xp.asarray(array)

    def to_numpy(self, array: Any) -> Any:
        import numpy

        return numpy.asarray(array)

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.jax.nn.softmax(logits, axis)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        return self.jax.nn.log_softmax(logits, axis)

    def logsumexp(self, logits: Any, axis: int) -> Any:
        return self.jax.nn.logsumexp(logits, axis)

    def cross_entropy(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        """Compute what JAX's users write, since JAX has no such loss."""
        return self.reduced(-self.chosen(self.log_softmax(logits, axis), labels, axis), reduction)

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        return self.reduced(-(distribution * self.log_softmax(logits, axis)).sum(axis), reduction)

    def mean_squared_error(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        return self.reduced((self.chosen(self.softmax(logits, axis), labels, axis) - 1) ** 2, reduction)

    def chosen(self, values: Any, labels: Any, axis: int) -> Any:
        return self.xp.take_along_axis(values, self.xp.expand_dims(labels, axis), axis).squeeze(axis)

    def reduced(self, losses: Any, reduction: str) -> Any:
        return losses if reduction == "none" else getattr(self.xp, reduction)(losses)

    def linear(self, inputs: Any, weights: Any) -> Any:
        return inputs @ weights.T

    def gradient(self, function: Function, x: Any) -> Any:
        return self.jax.grad(lambda x: function(x).sum())(x)

    def pull_back(self, function: Function, x: Any, cotangent: Any) -> Any:
        return self.jax.vjp(function, x)[1](cotangent)[0]

    def push_forward(self, function: Function, x: Any, tangent: Any) -> Any:
        return self.jax.jvp(function, (x,), (tangent,))[1]

    def row_jacobians(self, function: Callable[[Any, int], Any], x: Any, axis: int) -> Any:
        return self.row_by_row(self.jax.jacobian, function, x, axis)

    def whole_jacobian(self, function: Function, x: Any) -> Any:
        derivative = self.jax.jacobian(function)(x)
        return derivative.reshape(*derivative.shape[:-2], -1)

    def entry(self, values: Any, index: int, axis: int) -> Any:
        return self.jax.lax.index_in_dim(values, index, axis)

    def row_by_row(self, differentiate: Any, function: Callable[[Any, int], Any], x: Any, axis: int) -> Any:
        """Apply the transform to the function of one row, and map it over all rows."""
        mapped = differentiate(lambda row: function(row, -1))
        for _ in range(x.ndim - 1):
            mapped = self.jax.vmap(mapped)
        return mapped(self.xp.moveaxis(x, axis, -1))


class Jit(Jax):
    variant, program_seconds = "jit", 0.1

    def __init__(self) -> None:
        super().__init__()
        for name in METHODS:
            method = getattr(self, name)
            static = [word for word in ("axis", "index", "reduction") if word in signature(method).parameters]
            setattr(self, name, self.jax.jit(method, static_argnames=static))


class JacRev(Jax):
    """The Jacobian by `jax.jacrev`, which `jax.jacobian` is an alias of today."""

    variant, operations = "jacrev", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.jax.jacrev, self.softmax, logits, axis)


class JacFwd(Jax):
    variant, operations = "jacfwd", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.jax.jacfwd, self.softmax, logits, axis)


class Reverse(ReverseOverReverse, Jax):
    """Second derivatives by `jax.vjp` of itself."""


class ScaledInsideJit(Jax):
    """A softmax whose logits are scaled inside the compiled program, as in attention.

    XLA fuses the product with the subtraction of the maximum, so the product is no longer rounded.
    """

    variant, operations, by_default, scaled_logits = "scaled_inside_jit", ("softmax", "log_softmax"), False, True
    program_seconds = Jit.program_seconds
    SCALE: ClassVar = 3

    def __init__(self) -> None:
        super().__init__()
        for name in self.operations:
            setattr(self, name, self.with_a_scale(getattr(self.jax.nn, name)))

    def with_a_scale(self, function: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
        """Compile the function of scaled logits. The logits are divided by the scale first, outside the program."""
        compiled = self.jax.jit(lambda x, axis: function(x * self.SCALE, axis), static_argnames="axis")
        return lambda logits, axis: compiled(logits / self.SCALE, axis)


BACKENDS = (Jax, Jit, JacRev, JacFwd, Reverse, ScaledInsideJit, *textbook.variants(Jax))
