"""Accepted answers, a file a platform, and what has changed since (docs/regression.md)."""
