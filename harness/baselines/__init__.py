"""Accepted answers, a file a platform, and what moved since (docs/regression.md)."""
