"""The command line. It starts fast because each command's module is imported only when that command is run."""
