"""The scripts that show a finding without this harness: one cell, two ways of asking, two sides."""
