"""Compare the answers to varied questions with those to the plain questions, bit for bit."""

from __future__ import annotations

import pandas as pd

from harness.faults import Fault, Kind, Outcome, Verdict, columns, sentence

TOLERATED = (Verdict.WITHIN, Verdict.VACUOUS)
CELL_KEY = ["operation", "case", "dtype", "axis", "backend"]
STRICT = {
    "again": Kind.OTHER_BITS_AGAIN,
    "hostile": Kind.OTHER_BITS_BESIDE,
}
"""Variations that must not change a bit, each with the fault of an answer that does.

They do not change a kernel's sums.
"""


def with_same_bits(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons with the column `same_bits` filled in for varied questions whose plain answer is there.

    Another layout or other neighbours may lead to another order of summation. No framework promises the same bits, so a
    difference is no fault while the bound holds. For the variations in STRICT it is: a cell whose verdict is in
    TOLERATED then fails.
    """
    way = cells["case"].map(lambda name: name.partition("@")[2])
    plainly = cells["case"].map(lambda name: name.partition("@")[0])
    varied = cells[(way != "") & (cells.outcome == Outcome.OK)]
    if varied.empty:
        return cells
    plain = cells[(way == "") & (cells.outcome == Outcome.OK)].set_index(CELL_KEY).answer
    keys = pd.MultiIndex.from_frame(varied.assign(case=plainly[varied.index])[CELL_KEY])
    found = plain.reindex(keys).to_numpy()
    same = pd.Series(found == varied.answer.to_numpy(), index=varied.index).where(pd.notna(found))
    cells = cells.assign(same_bits=cells.same_bits.astype("object"))
    cells.loc[varied.index, "same_bits"] = same
    cells["same_bits"] = cells.same_bits.astype("boolean")
    for name, kind in STRICT.items():
        changed = varied.index[(way[varied.index] == name) & (same == False)]  # noqa: E712  # `same` may be missing too
        within = changed.intersection(cells.index[cells.verdict.isin(TOLERATED)])
        fault = Fault(kind)
        told = {"verdict": Verdict.SHORT, "reason": sentence(fault), **columns(fault)}
        cells.loc[within, [*told]] = [*told.values()]
    return cells
