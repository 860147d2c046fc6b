"""What each backend does on special inputs, as facts, compared with what it is declared to do."""

from harness.specials.atlas import Atlas, by_default, facts_of, survey
from harness.specials.entries import Entry

__all__ = ["Atlas", "Entry", "by_default", "facts_of", "survey"]
