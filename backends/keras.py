"""Keras on TensorFlow: its softmax layer and its losses, in TensorFlow's own worker."""

from __future__ import annotations

from typing import Any, ClassVar

from backends.base import NEXT_WIDER, Flaw
from backends.tensorflow import Graph, TensorFlow


class Keras(TensorFlow):
    """The notebook's `tf.keras.layers.Softmax`, Keras's losses from logits, and what TensorFlow differentiates."""

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
        # Keras finds the logits behind its own softmax layer again, so those from probabilities get tf.nn's.
        return loss(targets, rows if self.from_logits else self.tf.nn.softmax(rows, -1))


WIDE = "float[36]*"
"""float64 and float32, as a pattern."""
CLIPPED = "Keras clips probabilities to [1e-7, 1 − 1e-7] before it takes their logarithm"


class KerasProbabilities(Keras):
    """Keras's losses from probabilities."""

    variant, from_logits, through_probabilities = "keras_probabilities", False, True
    beside = ()
    operations = ("cross_entropy", "cross_entropy_gradient", "soft_cross_entropy", "soft_cross_entropy_gradient")
    flaws = (
        *(Flaw(case, CLIPPED, dtype=WIDE) for case in ("long", "chain", "spread")),
        *(Flaw("wide", CLIPPED, operation=operation, dtype=WIDE) for operation in ("*_gradient", "soft_*")),
        Flaw("wide", CLIPPED, dtype="float64"),  # in float32 a loss's bound is as large as the clipping
    )


class KerasGraph(Graph, Keras):
    """Keras's losses from logits inside of `tf.function`, where `fit` has them."""

    variant = "keras_function"
    operations = ("cross_entropy", "cross_entropy_gradient", "soft_cross_entropy", "soft_cross_entropy_gradient")


class KerasProbabilitiesGraph(Graph, KerasProbabilities):
    """Keras's losses from probabilities inside of `tf.function`: there it finds the logits behind a `tf.nn.softmax`,
    and takes the loss of those. So nothing is clipped that is when the same lines run eagerly (keras 3.15)."""

    variant, through_probabilities, flaws = "keras_probabilities_function", False, ()


class KerasDtype(TensorFlow):
    """Keras's softmax layer with `dtype=` the next wider format, into which the logits are cast first."""

    variant, operations = "keras_dtype", ("softmax",)
    answers_in = NEXT_WIDER

    def softmax(self, logits: Any, axis: int) -> Any:
        return self.tf.keras.layers.Softmax(axis, dtype=self.answers_in[logits.dtype.name])(logits)


BACKENDS = (Keras, KerasProbabilities, KerasGraph, KerasProbabilitiesGraph, KerasDtype)
