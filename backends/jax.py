"""JAX on the CPU, eager and jitted, with 64-bit types enabled in its own worker."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from backends import textbook
from backends.base import OPERATIONS, Backend


class Jax(Backend):
    framework = "jax"
    dtypes = ("float64", "float32", "float16", "bfloat16")
    program_seconds = 0.4
    flushes_below: ClassVar = {"float64": -1022, "float32": -126}  # measured, 0.10.2, eager and jitted

    def __init__(self) -> None:
        os.environ["JAX_PLATFORMS"] = "cpu"
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"  # one thread, read once at import
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

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.jax.jacobian, logits, axis)

    def jacobian_row(self, logits: Any, index: int, axis: int) -> Any:
        gradient = self.jax.grad(lambda x: self.jax.lax.index_in_dim(self.softmax(x, axis), index, axis).sum())
        return self.xp.moveaxis(gradient(logits), axis, -1)

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        _, pull_back = self.jax.vjp(lambda x: self.softmax(x, axis), logits)
        return pull_back(cotangent)[0]

    def jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        return self.jax.jvp(lambda x: self.softmax(x, axis), (logits,), (tangent,))[1]

    def cross_entropy(self, logits: Any, labels: Any, axis: int) -> Any:
        """JAX has none of its own: what its users write."""
        chosen = self.xp.expand_dims(labels, axis)
        return -self.xp.take_along_axis(self.log_softmax(logits, axis), chosen, axis).squeeze(axis)

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int) -> Any:
        return self.jax.grad(lambda x: self.cross_entropy(x, labels, axis).sum())(logits)

    def row_by_row(self, differentiate: Any, logits: Any, axis: int) -> Any:
        """The transform of one row's softmax, mapped over all rows."""
        mapped = differentiate(lambda row: self.softmax(row, -1))
        for _ in range(logits.ndim - 1):
            mapped = self.jax.vmap(mapped)
        return mapped(self.xp.moveaxis(logits, axis, -1))


class Jit(Jax):
    variant, program_seconds = "jit", 0.1

    def __init__(self) -> None:
        super().__init__()
        for operation in OPERATIONS:
            static = ("axis", "index") if operation == "jacobian_row" else "axis"
            setattr(self, operation, self.jax.jit(getattr(self, operation), static_argnames=static))


class JacRev(Jax):
    """What `jax.jacobian` is today, by the name that says which mode it is."""

    variant, operations = "jacrev", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.jax.jacrev, logits, axis)


class JacFwd(Jax):
    variant, operations = "jacfwd", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        return self.row_by_row(self.jax.jacfwd, logits, axis)


BACKENDS = (Jax, Jit, JacRev, JacFwd, *textbook.variants(Jax))
