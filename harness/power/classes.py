"""The forty classes of real defects that mutants stand for, and why a class has none."""

from __future__ import annotations

from harness.power.planting import CLASSIC

TITLES = {
    "C01": "the maximum is not subtracted",
    "C02": "a wrong maximum: a bad start value, or too many or too few elements",
    "C03": "cancellation among logarithms",
    "C04": "the logarithm of a rounded softmax",
    "C05": "tiny log-probabilities and gradients lost",
    "C06": "sums in 16 bits",
    "C07": "float16 overflows in a sum or a count",
    "C08": "indices and grids that overflow",
    "C09": "tails, padding lanes, single widths, alignment",
    "C10": "strides of the logits ignored",
    "C11": "strides of cotangents and answers ignored",
    "C12": "a mistaken axis",
    "C13": "semantics of another version",
    "C14": "degenerate shapes",
    "C15": "integer logits",
    "C16": "rows of −∞ alone",
    "C17": "−∞ inside of a stream",
    "C18": "+∞ and NaN",
    "C19": "finite masks",
    "C20": "NaN in gradients through masks",
    "C21": "a wrong Jacobian",
    "C22": "a wrong backward of log-softmax",
    "C23": "wrong second derivatives",
    "C24": "forward mode and mapped derivatives",
    "C25": "tied maxima",
    "C26": "the upstream gradient mistaken",
    "C27": "inputs written to",
    "C28": "normalisers of losses",
    "C29": "labels out of range",
    "C30": "label distributions",
    "C31": "losses of clipped probabilities",
    "C32": "compiled unlike eager",
    "C33": "approximate exponentials",
    "C34": "subnormal results flushed",
    "C35": "races",
    "C36": "rows that depend on the batch",
    "C37": "another dtype than asked for",
    "C38": "stale or uninitialised memory",
    "C39": "releases that got worse",
    "C40": "tests that cannot fail",
    CLASSIC: "classic mutants",
}
REASONS = {
    "C40": "This is a defect of tests, not of a softmax, and this page tests for it: it names every check that detects "
    "no mutant. `tests/test_power.py` disables checks of the judge, and expects mutants to survive.",
}
"""Why a class has no mutant."""
NOTES = {
    "C05": "ln(1 + s) in place of log1p is not a mutant: all four libraries compute it so, and the bound allows it.",
    "C08": "Indices wrap at 2^4 and 2^8 instead of 2^31, and a grid ends at 64 rows.",
    "C28": "The interface has no ignored labels and no class weights; normalisers and smoothing represent them.",
    "C32": "Two ways of rounding one product represent the two ways of a compiler.",
    "C35": "The wrong interleaving happens always, or every second time.",
    "C39": "Exact values come from Arb, so no release of a framework is the reference; a less accurate exp represents "
    "such a release.",
}
"""What the mutants of a class leave out of the real defect."""
