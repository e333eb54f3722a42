"""Django's backend for PostgreSQL, kept to the portable subset; Django finds it by the name of this package."""
