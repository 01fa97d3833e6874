"""For those who write plugins: a site on a fresh database, signed-in clients, and the conformance suite.

`host.testing.fixtures` is a pytest plugin that comes with the distribution; `host.testing.conformance` is imported by a
test module. Nothing of the host imports this.
"""
