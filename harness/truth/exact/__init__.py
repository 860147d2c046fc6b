"""Exact values, as balls that hold them."""
