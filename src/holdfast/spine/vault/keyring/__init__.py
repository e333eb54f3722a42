"""Tables of the ``keys`` store: wrapped keys, blind indexes, heads, references. Never in a long-term backup."""
