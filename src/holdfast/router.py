"""Which of the two stores a Django app's tables stand in; an app stands wholly in one (DESIGN §8)."""

from __future__ import annotations

from typing import Any, Final

DATA: Final = "default"
KEYS: Final = "keys"
_IN_KEYS: Final = frozenset({"keyring"})
_NOWHERE: Final = frozenset(
    {"account", "auth", "contenttypes"}
)  # no permissions of Django's, no mail addresses


def store_of(app_label: str) -> str:
    """Return the database alias of the app: ``keys`` for wrapped keys and indexes, ``default`` for all else."""
    return KEYS if app_label in _IN_KEYS else DATA


class StoreRouter:
    """Django's database router: reads, writes and migrations go where :func:`store_of` says."""

    def db_for_read(self, model: Any, **hints: Any) -> str:  # noqa: ARG002  Django's interface
        """Return the alias to read ``model`` from."""
        return store_of(model._meta.app_label)

    def db_for_write(self, model: Any, **hints: Any) -> str:  # noqa: ARG002  Django's interface
        """Return the alias to write ``model`` to."""
        return store_of(model._meta.app_label)

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:  # noqa: ARG002  Django's interface
        """A relation never crosses the two stores."""
        return store_of(one._meta.app_label) == store_of(other._meta.app_label)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:  # noqa: ARG002  Django's interface
        """An app is migrated in its own store only."""
        return app_label not in _NOWHERE and db == store_of(app_label)
