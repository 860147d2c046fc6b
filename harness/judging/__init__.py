"""How good an answer is: errors, laws, grades and verdicts."""
