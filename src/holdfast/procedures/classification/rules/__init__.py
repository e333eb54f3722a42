"""Pure judgement about files, columns and values: what a file is written in, and what its columns hold. No I/O."""
