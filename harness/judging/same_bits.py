"""Whether a question that is put in another way has the plain question's answer, bit for bit."""

from __future__ import annotations

import pandas as pd

from harness.judging.rows import SHORT, VACUOUS, WITHIN

TOLERATED = (WITHIN, VACUOUS)
QUESTION = ["operation", "case", "dtype", "axis", "backend"]
STRICT = {
    "again": "the same question was answered by other bits when it was asked again",
    "hostile": "its bits depend on what stands in other rows",
}
"""Ways of asking that must not change a bit: what a kernel adds up does not depend on them."""


def with_same_bits(cells: pd.DataFrame) -> pd.DataFrame:
    """The comparisons with `same_bits` where a plain answer is among them.

    Other layouts and neighbours may choose another order of summation, and no framework promises the same bits: that
    is a fact and no fault while the bound holds. One call after another, and the content of other rows in the same
    places, must not choose.
    """
    way = cells["case"].map(lambda name: name.partition("@")[2])
    plainly = cells["case"].map(lambda name: name.partition("@")[0])
    varied = cells[(way != "") & (cells.outcome == "ok")]
    if varied.empty:
        return cells
    plain = cells[(way == "") & (cells.outcome == "ok")].set_index(QUESTION).answer
    keys = pd.MultiIndex.from_frame(varied.assign(case=plainly[varied.index])[QUESTION])
    found = plain.reindex(keys).to_numpy()
    same = pd.Series(found == varied.answer.to_numpy(), index=varied.index).where(pd.notna(found))
    cells = cells.assign(same_bits=cells.same_bits.astype("object"))
    cells.loc[varied.index, "same_bits"] = same
    cells["same_bits"] = cells.same_bits.astype("boolean")
    for name, reason in STRICT.items():
        changed = varied.index[(way[varied.index] == name) & (same == False)]  # noqa: E712  # of three values
        within = changed.intersection(cells.index[cells.verdict.isin(TOLERATED)])
        cells.loc[within, ["verdict", "reason"]] = SHORT, reason
    return cells
