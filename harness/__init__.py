"""Compares softmax and its derivatives across frameworks, against exact values and proved bounds.

Importing it loads no framework: those live in their workers.
"""

__version__ = "0.1.0"
