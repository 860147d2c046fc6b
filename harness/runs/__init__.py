"""A run: planned, carried out, kept, and taken up again."""
