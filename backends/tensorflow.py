"""TensorFlow on the CPU: eager, `tf.function`, XLA, and Keras's softmax layer."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from backends import textbook
from backends.base import OPERATIONS, Backend


class TensorFlow(Backend):
    framework = "tensorflow"
    dtypes = ("float64", "float32", "float16", "bfloat16")
    program_seconds = 0.02
    # Measured, 2.21. oneDNN's float32 exp gives 0 for normal numbers too, from 2^-125 down; the others from 2^-126.
    flushes_below: ClassVar = {"float64": -1022, "float32": -125}

    def __init__(self) -> None:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
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

    def jacobian(self, logits: Any, axis: int) -> Any:
        moved = self.xp.moveaxis(logits, axis, -1)
        rows = self.tf.reshape(moved, (-1, moved.shape[-1]))
        with self.tf.GradientTape() as tape:
            tape.watch(rows)
            outputs = self.softmax(rows, -1)
        return self.tf.reshape(tape.batch_jacobian(outputs, rows), (*moved.shape, moved.shape[-1]))

    def jacobian_row(self, logits: Any, index: int, axis: int) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(logits)
            output = self.tf.gather(self.softmax(logits, axis), index, axis=axis)
        return self.xp.moveaxis(tape.gradient(output, logits), axis, -1)

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(logits)
            outputs = self.softmax(logits, axis)
        return tape.gradient(outputs, logits, cotangent)

    def jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        with self.tf.autodiff.ForwardAccumulator(logits, tangent) as accumulator:
            outputs = self.softmax(logits, axis)
        return accumulator.jvp(outputs)

    def cross_entropy(self, logits: Any, labels: Any, axis: int) -> Any:
        rows = self.xp.moveaxis(logits, axis, -1)
        return self.tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=rows)

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(logits)
            losses = self.cross_entropy(logits, labels, axis)
        return tape.gradient(losses, logits)


class Keras(TensorFlow):
    """The notebook's `tf.keras.layers.Softmax`, and what TensorFlow differentiates through it."""

    variant, operations = "keras", ("softmax", "jacobian", "jacobian_row", "vjp", "jvp")

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.tf.keras.layers.Softmax(axis, dtype=logits.dtype.name)(logits)


class Function(TensorFlow):
    """Every operation as a graph: TensorFlow's own optimiser, the eager kernels."""

    variant = "function"
    jit_compile = False

    def __init__(self) -> None:
        super().__init__()
        for operation in OPERATIONS:
            setattr(self, operation, self.tf.function(getattr(self, operation), jit_compile=self.jit_compile))


class Xla(Function):
    """Every operation compiled by XLA: other kernels than eager ones."""

    variant, program_seconds = "xla", 0.12
    jit_compile = True


class WholeJacobian(TensorFlow):
    """`GradientTape.jacobian` of the rows' sum, which holds every row's own."""

    variant, operations = "jacobian", ("jacobian",)

    def jacobian(self, logits: Any, axis: int) -> Any:
        with self.tf.GradientTape() as tape:
            tape.watch(logits)
            outputs = self.xp.moveaxis(self.softmax(logits, axis), axis, -1)
            summed = self.tf.reduce_sum(outputs, range(outputs.ndim - 1))
        columns = tape.jacobian(summed, logits)
        return self.xp.moveaxis(self.xp.moveaxis(columns, axis % logits.ndim + 1, -1), 0, -2)


class BatchJacobian(TensorFlow):
    """What the native `jacobian` uses, by its own name."""

    variant, operations = "batch_jacobian", ("jacobian",)


class Forward(TensorFlow):
    """One forward accumulator a column."""

    variant, operations, largest_n = "forward", ("jacobian",), 64

    def jacobian(self, logits: Any, axis: int) -> Any:
        rows = self.xp.moveaxis(logits, axis, -1)
        directions = self.tf.eye(rows.shape[-1], dtype=rows.dtype)
        columns = [self.jvp(rows, self.tf.broadcast_to(e, rows.shape), -1) for e in directions]
        return self.tf.stack(columns, axis=-1)


# tensorflow.experimental.numpy has no bfloat16 (2.21).
WRITTEN_OUT = textbook.variants(TensorFlow, dtypes=("float64", "float32", "float16"))
BACKENDS = (TensorFlow, Keras, Function, Xla, WholeJacobian, BatchJacobian, Forward, *WRITTEN_OUT)
