"""TensorFlow on the CPU: eager, `tf.function` and XLA."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

from backends import textbook
from backends.autodiff import Autodiff, Function, ReverseOverReverse
from backends.base import METHODS, Flaw, threads

LABELS_OF_1 = "its fused cross-entropy takes labels to sum to 1, so that the gradient is s − p (tensorflow#60314)"


class TensorFlow(Autodiff):
    framework = "tensorflow"
    dtypes = ("float64", "float32", "float16", "bfloat16")
    layouts, program_seconds = (), 0.02
    # Measured, 2.21. oneDNN's float32 exp gives 0 for normal numbers too, below 2^-125; other kernels below 2^-126.
    flushes_below: ClassVar = {"float64": -1022, "float32": -125, "bfloat16": -125}
    flaws = tuple(
        Flaw(f"*;distribution={kind}*", LABELS_OF_1, operation="soft_cross_entropy_gradient")
        for kind in ("less", "more", "zeros")
    )

    def __init__(self) -> None:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads())
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads())
        self.tf, self.xp, self.version = tensorflow, tensorflow.experimental.numpy, tensorflow.__version__

    def from_numpy(self, array: Any) -> Any:
        return self.tf.constant(array)

    def to_numpy(self, array: Any) -> Any:
        return array.numpy()

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.tf.nn.softmax(logits, axis)

    def log_softmax(self, logits: Any, axis: int) -> Any:
        return self.tf.nn.log_softmax(logits, axis)

    def logsumexp(self, logits: Any, axis: int) -> Any:
        return self.tf.reduce_logsumexp(logits, axis)

    def cross_entropy(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        rows = self.xp.moveaxis(logits, axis, -1)
        return self.reduced(self.tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=rows), reduction)

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        # Of the negative axes it takes −1 alone (2.21): "Requires start <= limit".
        position = axis % logits.shape.rank
        losses = self.tf.nn.softmax_cross_entropy_with_logits(labels=distribution, logits=logits, axis=position)
        return self.reduced(losses, reduction)

    def mean_squared_error(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        rows = self.xp.moveaxis(self.softmax(logits, axis), axis, -1)
        chosen = self.tf.gather(rows, labels, axis=-1, batch_dims=labels.shape.rank)
        return self.reduced(self.tf.square(chosen - 1), reduction)

    def reduced(self, losses: Any, reduction: str) -> Any:
        return losses if reduction == "none" else getattr(self.tf, f"reduce_{reduction}")(losses)

    def linear(self, inputs: Any, weights: Any) -> Any:
        return self.tf.tensordot(inputs, weights, [[-1], [1]])

    def gradient(self, function: Function, x: Any) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(x)
            values = function(x)
        return tape.gradient(values, x)

    def pull_back(self, function: Function, x: Any, cotangent: Any) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(x)
            values = function(x)
        return tape.gradient(values, x, cotangent)

    def push_forward(self, function: Function, x: Any, tangent: Any) -> Any:
        with self.tf.autodiff.ForwardAccumulator(x, tangent) as accumulator:
            values = function(x)
        return accumulator.jvp(values)

    def row_jacobians(self, function: Callable[[Any, int], Any], x: Any, axis: int) -> Any:
        moved = self.xp.moveaxis(x, axis, -1)
        rows = self.tf.reshape(moved, (-1, moved.shape[-1]))
        with self.tf.GradientTape() as tape:
            tape.watch(rows)
            values = function(rows, -1)
        return self.tf.reshape(tape.batch_jacobian(values, rows), (*moved.shape, moved.shape[-1]))

    def whole_jacobian(self, function: Function, x: Any) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(x)
            values = function(x)
        return self.tf.reshape(tape.jacobian(values, x), (*values.shape, -1))

    def entry(self, values: Any, index: int, axis: int) -> Any:
        return self.tf.gather(values, index, axis=axis)


class Graph(TensorFlow):
    """Every operation as a graph: TensorFlow's own optimiser with the eager kernels."""

    variant, compiles = "function", True
    jit_compile = False

    def __init__(self) -> None:
        super().__init__()
        for method in METHODS:
            setattr(self, method, self.tf.function(getattr(self, method), jit_compile=self.jit_compile))


class Xla(Graph):
    """Every operation compiled by XLA, whose kernels differ from the eager ones."""

    variant, program_seconds = "xla", 0.12
    jit_compile = True


class WholeJacobian(TensorFlow):
    """The Jacobian by `GradientTape.jacobian` of the sum over rows, which holds every row's own Jacobian."""

    variant, operations = "jacobian", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(logits)
            outputs = self.xp.moveaxis(self.softmax(logits, axis), axis, -1)
            summed = self.tf.reduce_sum(outputs, range(outputs.ndim - 1))
        columns = tape.jacobian(summed, logits)
        return self.xp.moveaxis(self.xp.moveaxis(columns, axis % logits.ndim + 1, -1), 0, -2)


class BatchJacobian(TensorFlow):
    """The Jacobian by `batch_jacobian`, which the native `jacobian` uses, under its own name."""

    variant, operations = "batch_jacobian", ("jacobian",)


class Forward(TensorFlow):
    """The Jacobian by one forward accumulator per column."""

    variant, operations, largest_n = "forward", ("jacobian",), 64

    def jacobian(self, logits: Any, axis: int) -> Any:
        rows = self.xp.moveaxis(logits, axis, -1)
        directions = self.tf.eye(rows.shape[-1], dtype=rows.dtype)
        columns = [self.jvp(rows, self.tf.broadcast_to(e, rows.shape), -1) for e in directions]
        return self.tf.stack(columns, axis=-1)


class Reverse(ReverseOverReverse, TensorFlow):
    """Second derivatives by a tape inside a tape."""


# tensorflow.experimental.numpy has no bfloat16 (2.21).
WRITTEN_OUT = textbook.variants(TensorFlow, dtypes=("float64", "float32", "float16"))
BACKENDS = (TensorFlow, Graph, Xla, WholeJacobian, BatchJacobian, Forward, Reverse, *WRITTEN_OUT)
