"""Prints what was measured, on what, with spread, and beside it what docs/performance.md promises.

`python -m benchmarks` runs all of it, `python -m benchmarks mirror` one; nothing leaves this machine but the
installation of the other copiers, once, into a cache of the user.
"""
