"""How much the checks see: planted mutants, backends that are right by construction, and other people's checks."""
