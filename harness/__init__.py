"""Compare softmax and its derivatives across frameworks, with exact values and proved bounds.

Importing this package loads no framework. Frameworks are loaded only in worker processes.
"""

__version__ = "0.1.0"
