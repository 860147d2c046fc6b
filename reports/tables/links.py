"""Links to the proofs: the derivation of each operation, and the theorem that its bound comes from."""

from __future__ import annotations

from harness.operations import OPERATIONS

DOCS = "https://github.com/softmax-harness/softmax-harness/blob/main/docs"


def derivation(operation: str) -> str:
    """Return the address of an operation's derivation; for an unknown operation, the address of the page."""
    return page("operations", sections(operation)[0])


def theorem(operation: str) -> str:
    """Return the address of the proof of an operation's bound; for an unknown operation, the address of the page."""
    return page("bounds", sections(operation)[1])


def sections(operation: str) -> tuple[str, str]:
    return OPERATIONS[operation].docs if operation in OPERATIONS else ("", "")


def page(name: str, section: str = "") -> str:
    return f"{DOCS}/{name}.md" + (f"#{section}" if section else "")
