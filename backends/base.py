"""The interface of a backend.

A backend is a framework's own arithmetic and its own differentiation behind a few methods. It guarantees that nothing
in an operation is ours: no conversion, and no shared fallback that would build one derivative out of another.

- Each framework has one file, with one native class, its variants as subclasses, and `BACKENDS`, a tuple of all of
  them.
- What can be said without the framework (names, operations, dtypes, flaws) is said on the class, so that a run is
  planned without loading any. Only `__init__` imports the framework, and it runs only in a worker process.
- Methods take and return native arrays. `from_numpy` and `to_numpy` are not part of any operation.
- Arguments are passed by keyword. A method names them as it does here, and `backends.third_party` reports one that does
  not.
- A framework is called by its module (`self.torch.softmax`, `np.exp`), never by a function imported from it. So
  `harness.transcript` can write down what a method does as a script that does not need this project.
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
"""The operations that can be asked, and the method that answers each: one method for every reduction."""
NEXT_WIDER = {"float64": "float64", "float32": "float64", "float16": "float32", "bfloat16": "float32"}
"""The next wider format of each dtype: what an argument `dtype=` is set to, where a framework has one."""
FLUSHES = {"float64": -1022, "float32": -126, "float16": -14, "bfloat16": -126}
"""The exponent of each dtype's smallest normal number: what a kernel may flush lies below."""
METHODS = tuple(dict.fromkeys(OPERATIONS.values()))


@dataclass(frozen=True)
class Flaw:
    """A place where a formula is known to fail, and why. It is strict: a flaw that no longer shows is an error."""

    case: str
    """A pattern of case names (fnmatch)."""
    reason: str
    operation: str = "*"
    dtype: str = "*"


def threads() -> int:
    """Return the number of threads that a backend is to compute on. Its worker process was started with that number."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


class Backend(ABC):
    """One framework, or one variant of it, as softmax and its derivatives.

    For logits of any shape and an `axis` of length n, with s = softmax(logits) along it:

    - `softmax` and `log_softmax` have the shape of the logits; `logsumexp` has that shape without the axis.
    - `jacobian` is J[…, i, j] = ∂s_i/∂x_j, of shape (…, n, n), with the axis moved last.
    - `jacobian_row` is the derivative of output `index` alone, J[…, index, :], of shape (…, n).
    - `vjp` is Jᵀ·cotangent and `jvp` is J·tangent, both of the shape of the logits.
    - `hvp` is the Hessian of ⟨cotangent, softmax⟩ times tangent, of the shape of the logits.
    - `log_softmax_vjp`, `log_softmax_jvp` and `log_softmax_jacobian` are the same derivatives of log_softmax.
    - `cross_entropy` is −ln s_y, for one integer label y per row. `soft_cross_entropy` is −Σ p_j·ln s_j, for one
      distribution p per row, of the shape of the logits. `mean_squared_error` is (s_y − 1)². Labels have the shape of
      the logits without the axis. `reduction` over all rows is "none" (the shape of the labels), "mean" or "sum" (one
      number). Each `…_gradient` is the derivative with respect to the logits, of their shape. `cross_entropy_hvp` is
      the Hessian of the sum of the losses times tangent.
    - `layer` is softmax(W·x), for inputs x along the axis and weights W of shape (t, n): (…, t), with the axis last.
      `layer_jacobian` is its derivative with respect to W, flattened row by row: (…, t, t·n).
      `layer_cross_entropy_gradient` is the derivative of each row's own cross-entropy with respect to W: (…, t·n).
    """

    framework: ClassVar[str]
    variant: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]] = tuple(OPERATIONS)
    """The operations that it is asked. A variant lists only those that it computes differently.

    What it claims of them is what its class defines. The others are `unsupported`, so that an operation that is new
    here breaks no backend elsewhere.
    """
    dtypes: ClassVar[tuple[str, ...]] = ("float64", "float32")
    """The dtypes that it claims. Errors are measured in units of the claim, so a float64 computed in float32 shows."""
    answers_in: ClassVar[Mapping[str, str]] = {}
    """The dtype of the answer by the dtype of the logits, where the two differ. This is a claim too."""
    layouts: ClassVar[tuple[str, ...]] = ("transposed", "strided", "offset", "flipped", "broadcast")
    """The memory layouts that `from_numpy` keeps; none if the framework's arrays have no strides."""
    threaded: ClassVar[bool] = True
    """True if it computes on as many threads as `OMP_NUM_THREADS` says."""
    compiles: ClassVar[bool] = False
    """True if it compiles anew for each shape, in `program_seconds`. A sweep over many shapes leaves it out."""
    flaws: ClassVar[tuple[Flaw, ...]] = ()
    by_default: ClassVar[bool] = True
    """False if a run without `--backend` leaves it out, such as a compiler that takes seconds a program."""
    largest_n: ClassVar[int | None] = None
    """The longest axis that it is asked for, where loops in Python or n × n arrays per row limit it."""
    program_seconds: ClassVar[float] = 0.001
    """About how long a new (operation, shape, dtype) takes to compile, in seconds. Only the order of work follows."""
    flushes_below: ClassVar[Mapping[str, int]] = {}
    """A declared policy, by dtype: for exact values below 2 to this power, zero is accepted as an answer."""
    package: ClassVar[str] = ""
    """The distribution that pip installs its framework by. `versions PACKAGE==…` compares two versions of it."""
    written_out: ClassVar[bool] = False
    """True if it is a document's formula on a framework's arrays. Its order of summation is then not a finding."""
    beside: ClassVar[tuple[str, ...]] = ()
    """The names of backends of other frameworks that it is compared with by default, in percent of its own answers."""
    through_probabilities: ClassVar[bool] = False
    """True if it declares that a loss is computed from rounded probabilities, not from the logits."""
    through_entries: ClassVar[bool] = False
    """True if it declares that a product with a Jacobian is summed from the Jacobian's rounded entries.

    Each entry may underflow.
    """
    through_logs: ClassVar[bool] = False
    """True if it declares that softmax is the exp of log_softmax, or that log_softmax is x − logsumexp(x)."""
    scaled_logits: ClassVar[bool] = False
    """True if it declares that logits are first multiplied by a constant: log2 e for powers of 2, or a scale."""
    difference_step: ClassVar[float] = 0.0
    """The declared step of central differences; 0 if derivatives are computed otherwise.

    The bound then allows for truncation, and for rounding errors divided by the step.
    """

    version: str
    remark: str = ""
    """How the last question was answered, if that may surprise a reader. It is written into the cell."""
    xp: Any
    """The framework's array namespace, in the names of the array API standard (`exp`, `sum`, `max`, `moveaxis`)."""

    @classmethod
    def title(cls) -> str:
        """Return its name: framework, or framework:variant."""
        return f"{cls.framework}:{cls.variant}" if cls.variant else cls.framework

    @classmethod
    def unsupported(cls, operation: str, dtype: str) -> str | None:
        """Return why it has no answer for an operation and dtype, or None."""
        return None if dtype in cls.dtypes else f"{cls.title()} does not claim {dtype}"

    @abstractmethod
    def __init__(self) -> None:
        """Import the framework, limit it to `threads()` threads, and set `version` and `xp`.

        Raise ImportError if the framework is absent.
        """

    @abstractmethod
    def from_numpy(self, array: NDArray[np.generic]) -> Any: ...

    @abstractmethod
    def to_numpy(self, array: Any) -> NDArray[np.generic]:
        """Return the finished values on the host. Wait for whatever is still being computed."""

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
