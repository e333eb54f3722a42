"""Houses, servers and callers for tests: the real parts, small."""
