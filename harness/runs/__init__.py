"""A run: how it is planned, carried out, saved, and resumed."""
