"""Tables of the ``keys`` store: wrapped keys, blind indexes, heads of records, references. Never in a long-term backup."""
