"""The forty classes of real defects that mutants stand for, and why a class has none."""

from __future__ import annotations

from harness.power.planting import CLASSIC

TITLES = {
    "C01": "no maximum is taken off",
    "C02": "a wrong maximum: bad start, or of too much or too little",
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
    CLASSIC: "what anybody would plant",
}
REASONS = {
    "C40": "A defect of tests and not of a softmax: this page is its probe. Every check here is seen to kill, or is "
    "told to be unable to; `tests/test_power.py` blinds the judge, and the survivors are named.",
}
"""Why a class has no mutant."""
NOTES = {
    "C05": "ln(1 + s) for log1p is no mutant: four libraries of four compute it so, and the bound allows it.",
    "C08": "Indices wrap at 2^4 and 2^8 instead of 2^31, and a grid ends at 64 rows.",
    "C28": "The interface has no ignored labels and no class weights: normalisers and smoothing stand for them.",
    "C32": "Two ways of rounding one product stand for a compiler's two.",
    "C35": "The interleaving that goes wrong happens always, or every second time.",
    "C39": "Exact values come from Arb, so no release of a framework is the measure; an exp that got worse stands for "
    "one.",
}
"""What the mutants of a class leave out of the real defect."""
