"""Links to the proofs: the derivation of each operation, and the theorem that its bound comes from."""

from __future__ import annotations

DOCS = "https://github.com/softmax-harness/softmax-harness/blob/main/docs"
SECTIONS = {
    "softmax": ("softmax", "softmax"),
    "log_softmax": ("logsumexp-and-log_softmax", "log-softmax"),
    "logsumexp": ("logsumexp-and-log_softmax", "logsumexp"),
    "jacobian": ("jacobian", "jacobian"),
    "jacobian_row": ("jacobian_row", "jacobian"),
    "vjp": ("vjp", "products"),
    "jvp": ("jvp", "products"),
    "hvp": ("second-derivatives", "second-order"),
    "log_softmax_vjp": ("derivatives-of-log_softmax", "log-softmax-derivatives"),
    "log_softmax_jvp": ("derivatives-of-log_softmax", "log-softmax-derivatives"),
    "log_softmax_jacobian": ("derivatives-of-log_softmax", "log-softmax-derivatives"),
    "cross_entropy": ("cross-entropy", "cross-entropy"),
    "cross_entropy_mean": ("cross-entropy", "batch"),
    "cross_entropy_sum": ("cross-entropy", "batch"),
    "cross_entropy_gradient": ("cross-entropy", "cross-entropy"),
    "cross_entropy_mean_gradient": ("cross-entropy", "batch"),
    "cross_entropy_hvp": ("cross-entropy", "second-order"),
    "soft_cross_entropy": ("cross-entropy", "cross-entropy"),
    "soft_cross_entropy_mean": ("cross-entropy", "batch"),
    "soft_cross_entropy_sum": ("cross-entropy", "batch"),
    "soft_cross_entropy_gradient": ("cross-entropy", "cross-entropy"),
    "mean_squared_error": ("squared-error", "squared-error"),
    "mean_squared_error_gradient": ("squared-error", "squared-error"),
    "layer": ("softmax-layer", "layer"),
    "layer_jacobian": ("softmax-layer", "layer"),
    "layer_cross_entropy_gradient": ("softmax-layer", "layer"),
}
"""For each operation, its section of docs/operations.md, and the section of docs/bounds.md that proves its bound.

They agree with the table of derivations in docs/operations.md.
"""


def derivation(operation: str) -> str:
    """Return the address of an operation's derivation; for an unknown operation, the address of the page."""
    return page("operations", SECTIONS.get(operation, ("", ""))[0])


def theorem(operation: str) -> str:
    """Return the address of the proof of an operation's bound; for an unknown operation, the address of the page."""
    return page("bounds", SECTIONS.get(operation, ("", ""))[1])


def page(name: str, section: str = "") -> str:
    return f"{DOCS}/{name}.md" + (f"#{section}" if section else "")
