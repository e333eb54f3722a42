"""The demo client ``bank-01``: its contract and the schema of its one collection, as a client and a house would write them."""
