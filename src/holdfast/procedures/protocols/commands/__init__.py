"""Commands of this procedure."""
