"""Where the house meets the outside: command line, data plane, console, feeds, checks."""
