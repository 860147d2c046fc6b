"""What the checks see: planted mutants, backends that are right, and other people's checks."""
