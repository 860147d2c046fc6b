"""Formats, arrays and sums: how numbers are held, whatever they mean."""
