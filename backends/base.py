"""The whole interface of a backend.

A backend is a framework's own arithmetic and its own differentiation behind a few methods. It guarantees that nothing
in an operation is ours: no conversion, no shared fallback that would build one derivative out of another.

- One file a framework, with one native class, its variants as subclasses, and `BACKENDS`, a tuple of all of them.
- What can be said without the framework (names, operations, dtypes, flaws) is said on the class, so that a run is
  planned without loading any. The framework is imported in `__init__` alone, which runs in its worker only.
- Methods take and return native arrays; `from_numpy` and `to_numpy` stand outside of every operation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

OPERATIONS = (
    "softmax", "log_softmax", "logsumexp", "jacobian", "jacobian_row", "vjp", "jvp", "cross_entropy",
    "cross_entropy_gradient",
)  # fmt: skip


@dataclass(frozen=True)
class Flaw:
    """Where a formula is known to fail, and why. Strict: if it stops failing there, that is an error."""

    case: str
    """Pattern of case names (fnmatch)."""
    reason: str
    operation: str = "*"
    dtype: str = "*"


class Backend(ABC):
    """One framework, or one variant of it, as softmax and its derivatives.

    For logits of any shape and an `axis` of length n, with s = softmax(logits) along it:

    - `softmax`, `log_softmax`: the shape of the logits; `logsumexp`: that shape without the axis.
    - `jacobian`: J[…, i, j] = ∂s_i/∂x_j, of the axis moved last: (…, n, n).
    - `jacobian_row`: the derivative of output `index` alone, J[…, index, :]: (…, n).
    - `vjp`: Jᵀ·cotangent, `jvp`: J·tangent: the shape of the logits.
    - `cross_entropy`: −ln s_y for an integer label y a row, not reduced; labels and answer have no axis.
      `cross_entropy_gradient`: its derivative with respect to the logits, of their shape.
    """

    framework: ClassVar[str]
    variant: ClassVar[str] = ""
    operations: ClassVar[tuple[str, ...]] = OPERATIONS
    """A variant lists only what it computes differently; the rest makes no cell."""
    dtypes: ClassVar[tuple[str, ...]] = ("float64", "float32")
    """Claimed: errors are measured in units of the claim, so a float64 that is computed in float32 shows."""
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    flaws: ClassVar[tuple[Flaw, ...]] = ()
    by_default: ClassVar[bool] = True
    """False where a run without `--backend` leaves it out (a compiler that takes seconds a program)."""
    largest_n: ClassVar[int | None] = None
    """Longest axis that it is asked for (loops in Python, n × n arrays a row)."""
    program_seconds: ClassVar[float] = 0.001
    """About what a new (operation, shape, dtype) costs it: compilation. Only the order of work follows from it."""
    flushes_below: ClassVar[Mapping[str, int]] = {}
    """A declared policy, by dtype: below 2 to this power, zero is as good as the number itself."""

    version: str
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
        """Import the framework, hold it to one thread, set `version` and `xp`. ImportError where it is absent."""

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

    def cross_entropy(self, logits: Any, labels: Any, axis: int) -> Any:
        raise NotImplementedError

    def cross_entropy_gradient(self, logits: Any, labels: Any, axis: int) -> Any:
        raise NotImplementedError
