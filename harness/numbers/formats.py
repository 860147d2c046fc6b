"""The floating-point formats that answers are judged in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary floating-point format: `p` bits of significand, exponents of the smallest and largest normal numbers."""

    p: int
    emin: int
    emax: int
    of_numpy: bool = True
    """True if NumPy has it itself, and False if ml_dtypes brings it, under the same name."""

    @property
    def u(self) -> float:
        """The unit roundoff, 2^-p."""
        return 2.0**-self.p

    @property
    def quantum(self) -> float:
        """The smallest subnormal number."""
        return 2.0 ** (self.emin - self.p + 1)

    @property
    def largest(self) -> float:
        return (2 - 2.0 ** (1 - self.p)) * 2.0**self.emax

    @property
    def smallest_normal(self) -> float:
        return 2.0**self.emin


FORMATS = {
    "float64": Format(53, -1022, 1023),
    "float32": Format(24, -126, 127),
    "float16": Format(11, -14, 15),
    "bfloat16": Format(8, -126, 127, of_numpy=False),
}
BROUGHT = tuple(name for name, form in FORMATS.items() if not form.of_numpy)
"""The formats that NumPy's own files and functions do not know."""
DIGIT = 0.1
"""The relative error up to which a value counts as right to one digit, in every format."""
