"""Tools without domain words: database, clock, ids, crypto primitives, files, configuration, jobs."""
