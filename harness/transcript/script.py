"""The text of a recorded computation, in its parts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Transcript:
    """`setup` imports and sets; `computation` makes the inputs and binds `answer`, unless it `raised`; `conversion`
    binds `actual`, the answer as a NumPy array. Where an argument was watched, the computation binds `actual` too, and
    that argument's numbers as `before` and `after`."""

    setup: str
    computation: str
    conversion: str
    raised: str = ""
    """The type of the exception that the computation raises."""

    @property
    def script(self) -> str:
        """Its last line binds `answer`."""
        return f"{self.setup}\n\n{self.computation}\n"

    @property
    def whole(self) -> str:
        """Its last line binds `actual`."""
        return f"{self.script}{self.conversion}\n"
