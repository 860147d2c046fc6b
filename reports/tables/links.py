"""Where the proofs are: the derivation of each operation, and the theorem that its bound comes from."""

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
"""Of each operation: its section of docs/operations.md, and that of docs/bounds.md which proves its bound.

As the table of derivations in docs/operations.md has them.
"""


def derivation(operation: str) -> str:
    """The address of an operation's derivation; of one that is not known, of the page."""
    return page("operations", SECTIONS.get(operation, ("", ""))[0])


def theorem(operation: str) -> str:
    """The address of the proof of its bound."""
    return page("bounds", SECTIONS.get(operation, ("", ""))[1])


def page(name: str, section: str = "") -> str:
    return f"{DOCS}/{name}.md" + (f"#{section}" if section else "")
