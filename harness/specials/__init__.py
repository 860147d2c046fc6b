"""What each backend does on special inputs, as facts, compared with what it is declared to do."""

from harness.specials.entries import Entry
from harness.specials.survey import Atlas, by_default, facts_of, survey

__all__ = ["Atlas", "Entry", "by_default", "facts_of", "survey"]
