"""The whole interface of a backend.

A backend is a framework's own arithmetic and its own differentiation behind a few methods. It guarantees that nothing
in an operation is ours: no conversion, no shared fallback that would build one derivative out of another.

- One file a framework, with one native class, its variants as subclasses, and `BACKENDS`, a tuple of all of them.
- What can be said without the framework (names, operations, dtypes, flaws) is said on the class, so that a run is
  planned without loading any. The framework is imported in `__init__` alone, which runs in its worker only.
- Methods take and return native arrays; `from_numpy` and `to_numpy` stand outside of every operation.
- Arguments go by keyword: a method names them as it does here, and `backends.brought` says so where one does not.
- A framework is called by its module (`self.torch.softmax`, `np.exp`), never by a function imported from it: so what a
  method does can be written down as a script without us (`harness.transcript`).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

OPERATIONS = {
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "logsumexp": "logsumexp",
    "jacobian": "jacobian",
    "jacobian_row": "jacobian_row",
    "vjp": "vjp",
    "jvp": "jvp",
    "hvp": "hvp",
    "log_softmax_vjp": "log_softmax_vjp",
    "log_softmax_jvp": "log_softmax_jvp",
    "log_softmax_jacobian": "log_softmax_jacobian",
    "cross_entropy": "cross_entropy",
    "cross_entropy_mean": "cross_entropy",
    "cross_entropy_sum": "cross_entropy",
    "cross_entropy_gradient": "cross_entropy_gradient",
    "cross_entropy_mean_gradient": "cross_entropy_gradient",
    "cross_entropy_hvp": "cross_entropy_hvp",
    "soft_cross_entropy": "soft_cross_entropy",
    "soft_cross_entropy_mean": "soft_cross_entropy",
    "soft_cross_entropy_sum": "soft_cross_entropy",
    "soft_cross_entropy_gradient": "soft_cross_entropy_gradient",
    "mean_squared_error": "mean_squared_error",
    "mean_squared_error_gradient": "mean_squared_error_gradient",
    "layer": "layer",
    "layer_jacobian": "layer_jacobian",
    "layer_cross_entropy_gradient": "layer_cross_entropy_gradient",
}
"""What can be asked, and the method that answers: one method for every reduction."""
NEXT_WIDER = {"float64": "float64", "float32": "float64", "float16": "float32", "bfloat16": "float32"}
"""What an argument `dtype=` is set to, where a framework has one."""
METHODS = tuple(dict.fromkeys(OPERATIONS.values()))


@dataclass(frozen=True)
class Flaw:
    """Where a formula is known to fail, and why. Strict: if it stops failing there, that is an error."""

    case: str
    """Pattern of case names (fnmatch)."""
    reason: str
    operation: str = "*"
    dtype: str = "*"


def threads() -> int:
    """How many a backend is to compute on: its worker was started with that many."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


class Backend(ABC):
    """One framework, or one variant of it, as softmax and its derivatives.

    For logits of any shape and an `axis` of length n, with s = softmax(logits) along it:

    - `softmax`, `log_softmax`: the shape of the logits; `logsumexp`: that shape without the axis.
    - `jacobian`: J[…, i, j] = ∂s_i/∂x_j, of the axis moved last: (…, n, n).
    - `jacobian_row`: the derivative of output `index` alone, J[…, index, :]: (…, n).
    - `vjp`: Jᵀ·cotangent, `jvp`: J·tangent: the shape of the logits.
    - `hvp`: Hessian of ⟨cotangent, softmax⟩ times tangent, of that shape too.
    - `log_softmax_vjp`, `log_softmax_jvp`, `log_softmax_jacobian`: the same of log_softmax.
    - `cross_entropy`: −ln s_y for an integer label y a row; `soft_cross_entropy`: −Σ p_j·ln s_j for a distribution p a
      row, of the logits' shape; `mean_squared_error`: (s_y − 1)². Labels have no axis. `reduction` over all rows: none
      (the shape of the labels), mean or sum (one number). Each `…_gradient` is the derivative with respect to the
      logits, of their shape; `cross_entropy_hvp` the Hessian of the sum times tangent.
    - `layer`: softmax(W·x) for inputs x along the axis and weights W of shape (t, n): (…, t), moved last.
      `layer_jacobian`: its derivative with respect to W, row by row of W: (…, t, t·n).
      `layer_cross_entropy_gradient`: that of each row's own cross-entropy: (…, t·n).
    """

    framework: ClassVar[str]
    variant: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]] = tuple(OPERATIONS)
    """A variant lists only what it computes differently; the rest makes no cell."""
    dtypes: ClassVar[tuple[str, ...]] = ("float64", "float32")
    """Claimed: errors are measured in units of the claim, so a float64 that is computed in float32 shows."""
    answers_in: ClassVar[Mapping[str, str]] = {}
    """A claim too: the answer's dtype by that of the logits, where it is another."""
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    layouts: ClassVar[tuple[str, ...]] = ("transposed", "strided", "offset", "flipped", "broadcast")
    """Of arrays in memory, which `from_numpy` keeps; none where a framework's arrays have no strides."""
    threaded: ClassVar[bool] = True
    """Whether it computes on as many threads as `OMP_NUM_THREADS` says."""
    compiles: ClassVar[bool] = False
    """Whether each new shape costs it `program_seconds`, so that a sweep over many shapes leaves it out."""
    flaws: ClassVar[tuple[Flaw, ...]] = ()
    by_default: ClassVar[bool] = True
    """False where a run without `--backend` leaves it out (a compiler that takes seconds a program)."""
    largest_n: ClassVar[int | None] = None
    """Longest axis that it is asked for (loops in Python, n × n arrays a row)."""
    program_seconds: ClassVar[float] = 0.001
    """About what a new (operation, shape, dtype) costs it: compilation. Only the order of work follows from it."""
    flushes_below: ClassVar[Mapping[str, int]] = {}
    """A declared policy, by dtype: below 2 to this power, zero is as good as the number itself."""
    package: ClassVar[str] = ""
    """The distribution that pip installs its framework by: `versions PACKAGE==…` compares two of them."""
    written_out: ClassVar[bool] = False
    """A document's formula on a framework's arrays: how it adds up is its own affair, and no finding."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Backends of other frameworks, by name, that it is compared with by default, in percents of its own answers."""
    through_probabilities: ClassVar[bool] = False
    """Declared where a loss is computed from rounded probabilities, and not from the logits."""
    through_entries: ClassVar[bool] = False
    """Declared where a product with a Jacobian is summed from the Jacobian's rounded entries: each may underflow."""
    through_logs: ClassVar[bool] = False
    """Declared where a softmax is the exp of a log-softmax, or a log-softmax is x − logsumexp(x)."""
    scaled_logits: ClassVar[bool] = False
    """Declared where logits are multiplied by a constant first: by log2 e for powers of 2, or by a scale."""
    difference_step: ClassVar[float] = 0.0
    """Declared where derivatives are central differences: their step. Truncation is then allowed for, and rounding over
    the step."""

    version: str
    remark: str = ""
    """Of the last question: how it was answered, where a reader would think otherwise. Its cell says it."""
    xp: Any
    """The framework's array namespace, in the names of the array API standard (`exp`, `sum`, `max`, `moveaxis`)."""

    @classmethod
    def title(cls) -> str:
        """Its name: framework, or framework:variant."""
        return f"{cls.framework}:{cls.variant}" if cls.variant else cls.framework

    @classmethod
    def unsupported(cls, operation: str, dtype: str) -> str | None:
        """Why it has no answer there, or None."""
        return None if dtype in cls.dtypes else f"{cls.title()} does not claim {dtype}"

    @abstractmethod
    def __init__(self) -> None:
        """Import the framework, hold it to `threads()`, set `version` and `xp`. ImportError where it is absent."""

    @abstractmethod
    def from_numpy(self, array: NDArray[np.generic]) -> Any: ...

    @abstractmethod
    def to_numpy(self, array: Any) -> NDArray[np.generic]:
        """The finished values on the host: waits for whatever is still being computed."""

    @abstractmethod
    def softmax(self, logits: Any, axis: int) -> Any: ...

    def log_softmax(self, logits: Any, axis: int) -> Any:
        raise NotImplementedError

    def logsumexp(self, logits: Any, axis: int) -> Any:
        raise NotImplementedError

    def jacobian(self, logits: Any, axis: int) -> Any:
        raise NotImplementedError

    def jacobian_row(self, logits: Any, index: int, axis: int) -> Any:
        raise NotImplementedError

    def vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        raise NotImplementedError

    def jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        raise NotImplementedError

    def hvp(self, logits: Any, cotangent: Any, tangent: Any, axis: int) -> Any:
        raise NotImplementedError

    def log_softmax_vjp(self, logits: Any, cotangent: Any, axis: int) -> Any:
        raise NotImplementedError

    def log_softmax_jvp(self, logits: Any, tangent: Any, axis: int) -> Any:
        raise NotImplementedError

    def log_softmax_jacobian(self, logits: Any, axis: int) -> Any:
        raise NotImplementedError

    def cross_entropy(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        raise NotImplementedError

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        raise NotImplementedError

    def cross_entropy_hvp(self, logits: Any, labels: Any, tangent: Any, axis: int) -> Any:
        raise NotImplementedError

    def soft_cross_entropy(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        raise NotImplementedError

    def soft_cross_entropy_gradient(self, logits: Any, distribution: Any, axis: int, reduction: str) -> Any:
        raise NotImplementedError

    def mean_squared_error(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        raise NotImplementedError

    def mean_squared_error_gradient(self, logits: Any, labels: Any, axis: int, reduction: str) -> Any:
        raise NotImplementedError

    def layer(self, inputs: Any, weights: Any, axis: int) -> Any:
        raise NotImplementedError

    def layer_jacobian(self, inputs: Any, weights: Any, axis: int) -> Any:
        raise NotImplementedError

    def layer_cross_entropy_gradient(self, inputs: Any, weights: Any, classes: Any, axis: int) -> Any:
        raise NotImplementedError
