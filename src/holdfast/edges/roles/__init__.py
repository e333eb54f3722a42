"""Database roles: who may do what to which table, and granting it."""
