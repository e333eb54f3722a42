"""The demo client ``bank-01``: contract and schema as a client and a house write them, and a builder of its house."""
