"""What is asked: cases, the arrays of their arguments, variations, suites."""
