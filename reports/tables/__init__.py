"""Rows that several formats share, as tables."""
