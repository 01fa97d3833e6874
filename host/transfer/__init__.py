"""Moving many rows at once, for the web and the command line: bulk writes, exports, imports. Knows no web framework."""
