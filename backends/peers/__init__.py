"""What people check a softmax with today, each as itself and with its defaults, for `harness.power` to measure.

Every check takes NumPy's arrays and functions, and answers with an empty text where it finds nothing to object to, and
else with its first objection. A framework is imported inside of its module's functions alone.
"""
