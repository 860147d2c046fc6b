"""Wrong backends, brought as a third party brings its own: `PYTHONPATH=tests/planted`.

`planted:*` give wrong answers; `mortal:*` take their process with them; `missing` is not installed; `fatal` dies in its
import. The natives `planted` and `mortal` are right, to show that what surrounds the wrong ones is judged apart.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from backends.base import OPERATIONS, Flaw
from backends.numpy import NumPy

Right = type("Right", (NumPy,), {method: getattr(NumPy, method) for method in dict.fromkeys(OPERATIONS.values())})
"""NumPy's, said to be a class's own: what a class does not define itself is not asked of it."""


Planted = type("Planted", (Right,), {"framework": "planted"})
Mortal = type("Mortal", (Right,), {"framework": "mortal"})


class Missing(Right):  # type: ignore[misc, valid-type]
    framework = "missing"

    def __init__(self) -> None:
        raise ImportError("No module named 'missing'\nand a second line that nobody needs")


class Fatal(Right):  # type: ignore[misc, valid-type]
    framework = "fatal"

    def __init__(self) -> None:
        os.kill(os.getpid(), signal.SIGILL)


def wrong(operation: str, native: type[NumPy] = Planted, **about: Any) -> Callable[[Callable[..., Any]], type[NumPy]]:
    """A variant of that name which computes one operation by the function."""

    def make(function: Callable[..., Any]) -> type[NumPy]:
        members = {"variant": function.__name__, "operations": (operation,), OPERATIONS[operation]: function, **about}
        return type(function.__name__, (native,), members)

    return make


@wrong("softmax")
def one_by_one(b: NumPy, logits: Any, axis: int) -> Any:
    """A sum that a long row of 16 bits stands still in; in float32 it is a long chain, and no more."""
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    total = np.zeros_like(weights.take([0], axis=axis))
    for k in range(weights.shape[axis]):
        total = total + weights.take([k], axis=axis)
    return weights / total


@wrong("softmax")
def zeros(b: NumPy, logits: Any, axis: int) -> Any:
    return np.zeros_like(logits)


@wrong("softmax")
def uniform(b: NumPy, logits: Any, axis: int) -> Any:
    return np.full_like(logits, 1 / logits.shape[axis])


@wrong("softmax")
def unnormalised(b: NumPy, logits: Any, axis: int) -> Any:
    return np.exp(logits - logits.max(axis=axis, keepdims=True))


@wrong("softmax")
def no_shift(b: NumPy, logits: Any, axis: int) -> Any:
    weights = np.exp(logits)
    return weights / weights.sum(axis=axis, keepdims=True)


@wrong("softmax")
def float32_inside(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits.astype(np.float32), axis).astype(logits.dtype)


@wrong("softmax")
def other_axis(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, (axis + 1) % logits.ndim)


@wrong("softmax")
def one_element_off(b: NumPy, logits: Any, axis: int) -> Any:
    """60 ulp at one element of the block: below any tolerance in use, above what rounding explains."""
    s = NumPy.softmax(b, logits, axis)
    s.flat[3] *= 1 + 60 * np.finfo(s.dtype).eps
    return s


@wrong("softmax")
def nan_in_a_corner(b: NumPy, logits: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    s.flat[-1] = np.nan
    return s


@wrong("softmax")
def drifting(b: NumPy, logits: Any, axis: int) -> Any:
    """As an upgrade may be: so many ulp more at one element, a NaN there, or an exception, as PLANTED_DRIFT says."""
    drift, s = os.environ.get("PLANTED_DRIFT", "0"), NumPy.softmax(b, logits, axis)
    if drift == "raise":
        raise ValueError("this version wants something else")
    s.flat[2] += float(drift) * np.spacing(s.flat[2])
    return s


@wrong("log_softmax")
def log_of_softmax(b: NumPy, logits: Any, axis: int) -> Any:
    return np.log(NumPy.softmax(b, logits, axis))


@wrong("logsumexp")
def maximum_alone(b: NumPy, logits: Any, axis: int) -> Any:
    return logits.max(axis=axis)


@wrong("jacobian")
def diagonal_alone(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.jacobian(b, logits, axis) * np.eye(logits.shape[axis])


@wrong("jacobian")
def without_identity(b: NumPy, logits: Any, axis: int) -> Any:
    s = NumPy.softmax(b, np.moveaxis(logits, axis, -1), -1)
    return -s[..., :, None] * s[..., None, :]


@wrong("jacobian_row")
def next_row(b: NumPy, logits: Any, index: int, axis: int) -> Any:
    return NumPy.jacobian_row(b, logits, (index + 1) % logits.shape[axis], axis)


@wrong("vjp")
def halved(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    return NumPy.vjp(b, logits, cotangent, axis) / 2


@wrong("vjp")
def negated(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    return -NumPy.vjp(b, logits, cotangent, axis)


@wrong("vjp")
def zero_gradient(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    return np.zeros_like(logits)


@wrong("vjp")
def without_mean(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis) * cotangent


@wrong("jvp")
def diagonal_product(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    return s * (1 - s) * tangent


@wrong("cross_entropy")
def from_clipped_probabilities(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """As Keras does from probabilities: a loss of more than 16.1 cannot be."""
    chosen = np.expand_dims(labels, axis)
    s = np.take_along_axis(NumPy.softmax(b, logits, axis), chosen, axis).squeeze(axis)
    return -np.log(np.clip(s, 1e-7, 1 - 1e-7))


@wrong("cross_entropy_gradient")
def without_label(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    return NumPy.softmax(b, logits, axis)


@wrong("hvp")
def without_covariance(b: NumPy, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
    s = NumPy.softmax(b, logits, axis)
    centred = [v - (s * v).sum(axis=axis, keepdims=True) for v in (cotangent, tangent)]
    return s * centred[0] * centred[1]


@wrong("log_softmax_vjp")
def softmax_s_own_vjp(b: NumPy, logits: Any, cotangent: Any, axis: int) -> Any:
    return NumPy.vjp(b, logits, cotangent, axis)


@wrong("log_softmax_jvp")
def tangent_alone(b: NumPy, logits: Any, tangent: Any, axis: int) -> Any:
    return tangent


@wrong("log_softmax_jacobian")
def transposed(b: NumPy, logits: Any, axis: int) -> Any:
    return np.swapaxes(NumPy.log_softmax_jacobian(b, logits, axis), -1, -2)


@wrong("cross_entropy_mean")
def summed_and_not_averaged(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    return NumPy.cross_entropy(b, logits, labels, axis, "sum")


@wrong("cross_entropy_sum")
def last_row_left_out(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    return NumPy.cross_entropy(b, logits, labels, axis, "none").ravel()[:-1].sum()


@wrong("cross_entropy_mean_gradient")
def gradient_of_the_sum(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    return NumPy.cross_entropy_gradient(b, logits, labels, axis, "sum")


@wrong("cross_entropy_hvp")
def hessian_at_the_label_alone(b: NumPy, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
    kept = np.zeros_like(tangent)
    chosen = np.expand_dims(labels, axis)
    np.put_along_axis(kept, chosen, np.take_along_axis(tangent, chosen, axis), axis)
    return NumPy.jvp(b, logits, kept, axis)


@wrong("soft_cross_entropy")
def hardened(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    return NumPy.cross_entropy(b, logits, distribution.argmax(axis=axis), axis, reduction)


@wrong("soft_cross_entropy_mean")
def averaged_over_entries(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """As where a mean is taken over batch and classes alike."""
    return NumPy.soft_cross_entropy(b, logits, distribution, axis, "sum") / logits.size


@wrong("soft_cross_entropy_sum")
def entropy_of_labels_taken_off(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    """The Kullback-Leibler divergence, which has the same gradient."""
    own = np.where(distribution > 0, distribution * np.log(np.maximum(distribution, 1e-300)), 0).sum()
    return NumPy.soft_cross_entropy(b, logits, distribution, axis, "sum") + own


@wrong("soft_cross_entropy_gradient")
def forgets_the_distribution(b: NumPy, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
    return NumPy.softmax(b, logits, axis)


@wrong("mean_squared_error")
def over_all_classes(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    """The usual squared error of one-hot vectors: not the document's."""
    hot = np.moveaxis(np.eye(logits.shape[axis])[labels], -1, axis)
    return ((NumPy.softmax(b, logits, axis) - hot) ** 2).sum() / labels.size


@wrong("mean_squared_error_gradient")
def through_the_diagonal_alone(b: NumPy, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
    s = NumPy.softmax(b, logits, axis)
    hot = np.moveaxis(np.eye(logits.shape[axis])[labels], -1, axis)
    return 2 * (s - 1) * s * (1 - s) * hot / labels.size


@wrong("layer")
def one_input_left_out(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    x = np.moveaxis(inputs, axis, -1)
    return NumPy.softmax(b, x[..., 1:] @ weights[:, 1:].T, -1)


@wrong("layer_jacobian")
def column_by_column(b: NumPy, inputs: Any, weights: Any, axis: int) -> Any:
    """W linearised the other way."""
    x = np.moveaxis(inputs, axis, -1)
    j = NumPy.jacobian(b, x @ weights.T, -1)[..., None] * x[..., None, None, :]
    return np.swapaxes(j, -1, -2).reshape(*j.shape[:-2], -1)


@wrong("layer_cross_entropy_gradient")
def without_the_inputs(b: NumPy, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
    x = np.moveaxis(inputs, axis, -1)
    gradient = NumPy.cross_entropy_gradient(b, x @ weights.T, classes, -1, "sum")
    return np.repeat(gradient, x.shape[-1], axis=-1)


@wrong("softmax", flaws=(Flaw("seed003-*", "declared wrong, and right: the flaw is gone"),))
def mended(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis)


@wrong("softmax")
def beside_infinity(b: NumPy, logits: Any, axis: int) -> Any:
    """Right, and by an ulp other bits where infinity stands in any row."""
    return np.nextafter(NumPy.softmax(b, logits, axis), np.isposinf(logits).any() * 1.0)


@wrong("softmax")
def whimsical(b: NumPy, logits: Any, axis: int) -> Any:
    """Right, with other bits from one call to the next."""
    return np.nextafter(NumPy.softmax(b, logits, axis), np.random.rand(*logits.shape).round())


@wrong("softmax")
def scribbles(b: NumPy, logits: Any, axis: int) -> Any:
    """Right, and its logits are not what they were."""
    s = NumPy.softmax(b, logits, axis)
    logits -= logits.max(axis=axis, keepdims=True)
    logits[...] = s
    return s


@wrong("softmax")
def wrong_shape(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis)[:1]


@wrong("softmax")
def answers_in_float32(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis).astype(np.float32)


@wrong("softmax")
def wrong_dtype(b: NumPy, logits: Any, axis: int) -> Any:
    return NumPy.softmax(b, logits, axis).astype(np.longdouble)


@wrong("softmax")
def objects(b: NumPy, logits: Any, axis: int) -> Any:
    """Would have to be pickled."""
    return logits.astype(object)


@wrong("softmax")
def nothing(b: NumPy, logits: Any, axis: int) -> Any:
    return None


@wrong("softmax")
def raises(b: NumPy, logits: Any, axis: int) -> Any:
    raise RuntimeError("\n\nfirst line | with a bar\nsecond line")


@wrong("softmax")
def names_a_file_that_is_no_text(b: NumPy, logits: Any, axis: int) -> Any:
    """As Python tells of a file name that is not UTF-8: by a lone surrogate, which no UTF-8 holds."""
    raise OSError("no kernel in '\ud800.cubin'")


@wrong("softmax", Mortal)
def segfault(b: NumPy, logits: Any, axis: int) -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


@wrong("softmax", Mortal)
def leaves(b: NumPy, logits: Any, axis: int) -> Any:
    os._exit(7)


@wrong("softmax", Mortal)
def hangs(b: NumPy, logits: Any, axis: int) -> Any:
    time.sleep(3600)


@wrong("softmax", Mortal)
def dies_of_probes(b: NumPy, logits: Any, axis: int) -> Any:
    """Sums in one chain. Answers the case `chain`, but not its probe, whose later rows have the 0 further on."""
    if logits.size > 10_000 and logits[0].argmax() > 1:
        os._exit(9)
    weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return weights / np.cumsum(weights, axis=axis)[..., -1:]


@wrong("softmax", Mortal)
def hoards(b: NumPy, logits: Any, axis: int) -> Any:
    kept = []
    while True:
        kept.append(np.ones(2**22))  # 32 MiB at a time


KEPT = []


@wrong("softmax", Mortal)
def keeps(b: NumPy, logits: Any, axis: int) -> Any:
    """Right, but with 64 MiB more at each question, as compiled programs and caches are; and slow enough to be seen."""
    KEPT.append(np.ones(2**23))
    time.sleep(0.2)
    return NumPy.softmax(b, logits, axis)


@wrong("softmax", Mortal)
def says_no_memory(b: NumPy, logits: Any, axis: int) -> Any:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 EiB")


@wrong("softmax", Mortal)
def dies_once(b: NumPy, logits: Any, axis: int) -> Any:
    """As if another had spoilt its memory: alone in a fresh process it is right."""
    marker = os.environ["PLANTED_MARKER"]
    if not os.path.exists(marker):  # noqa: PTH110
        open(marker, "w").close()  # noqa: PTH123
        os.abort()
    return NumPy.softmax(b, logits, axis)


WRONG = tuple(c for c in list(globals().values()) if isinstance(c, type) and getattr(c, "variant", ""))
BACKENDS = (
    Planted, *(c for c in WRONG if c.framework == "planted"),
    Mortal, *(c for c in WRONG if c.framework == "mortal"),
    Missing, Fatal,
)  # fmt: skip
