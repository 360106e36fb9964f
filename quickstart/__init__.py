"""What the two commands run: servers of our own, a supervisor, the test run.

The standard library alone, but for the pytest plugin.
"""
