"""Keras on TensorFlow: its softmax layer and its losses, in TensorFlow's own worker process."""

from __future__ import annotations

from typing import Any, ClassVar

from backends.base import NEXT_WIDER, Flaw
from backends.tensorflow import Graph, TensorFlow


class Keras(TensorFlow):
    """The notebook's `tf.keras.layers.Softmax`, Keras's losses from logits, and TensorFlow's derivatives of them."""

    variant = "keras"
    operations: ClassVar[tuple[str, ...]] = (
        "softmax", "jacobian", "jacobian_row", "vjp", "jvp",
        "cross_entropy", "cross_entropy_mean", "cross_entropy_sum", "cross_entropy_gradient",
        "soft_cross_entropy", "soft_cross_entropy_mean", "soft_cross_entropy_sum", "soft_cross_entropy_gradient",
    )  # fmt: skip
    from_logits = True
    beside: ClassVar[tuple[str, ...]] = ("torch:naive",)  # the notebook's pair

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.tf.keras.layers.Softmax(axis, dtype=logits.dtype.name)(logits)

    def cross_entropy(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        return self.loss("SparseCategoricalCrossentropy", logits, axis, reduction, labels)

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        targets = self.xp.moveaxis(distribution, axis, -1)
        return self.loss("CategoricalCrossentropy", logits, axis, reduction, targets)

    def loss(self, name: str, logits: Any, axis: int, reduction: str, targets: Any) -> Any:
        rows = self.xp.moveaxis(logits, axis, -1)
        made = getattr(self.tf.keras.losses, name)
        # Without a dtype, Keras 3 casts whatever it is given to float32.
        loss = made(from_logits=self.from_logits, reduction=reduction, dtype=logits.dtype.name)
        # Keras finds the logits behind its own softmax layer again, so losses from probabilities get tf.nn's softmax.
        return loss(targets, rows if self.from_logits else self.tf.nn.softmax(rows, -1))


WIDE = "float[36]*"
"""A pattern of float64 and float32."""
CLIPPED = "Keras clips probabilities to [1e-7, 1 − 1e-7] before it takes their logarithm"


class KerasProbabilities(Keras):
    """Keras's losses from probabilities."""

    variant, from_logits, through_probabilities = "keras_probabilities", False, True
    beside = ()
    operations = ("cross_entropy", "cross_entropy_gradient", "soft_cross_entropy", "soft_cross_entropy_gradient")
    flaws = (
        *(Flaw(case, CLIPPED, dtype=WIDE) for case in ("long", "chain", "spread")),
        *(Flaw("wide", CLIPPED, operation=operation, dtype=WIDE) for operation in ("*_gradient", "soft_*")),
        Flaw("wide", CLIPPED, dtype="float64"),  # in float32 a loss's bound is as large as the error of clipping
    )


class KerasGraph(Graph, Keras):
    """Keras's losses from logits inside `tf.function`, as `fit` calls them."""

    variant = "keras_function"
    operations = ("cross_entropy", "cross_entropy_gradient", "soft_cross_entropy", "soft_cross_entropy_gradient")


class KerasProbabilitiesGraph(Graph, KerasProbabilities):
    """Keras's losses from probabilities inside `tf.function`.

    There Keras finds the logits behind a `tf.nn.softmax` and takes the loss of those. So nothing is clipped, although
    the same lines clip when they run eagerly (keras 3.15).
    """

    variant, through_probabilities, flaws = "keras_probabilities_function", False, ()


class KerasDtype(TensorFlow):
    """Keras's softmax layer with `dtype=` the next wider format, into which the logits are cast first."""

    variant, operations = "keras_dtype", ("softmax",)
    answers_in = NEXT_WIDER

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.tf.keras.layers.Softmax(axis, dtype=self.answers_in[logits.dtype.name])(logits)


BACKENDS = (Keras, KerasProbabilities, KerasGraph, KerasProbabilitiesGraph, KerasDtype)
