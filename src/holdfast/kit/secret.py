"""A box around a value that must not be printed by accident."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a key or a field value; its repr, str, format and pickle never show it.

    >>> box = Secret("4111 1111 1111 1111")
    >>> box
    Secret(…)
    >>> box.reveal()
    '4111 1111 1111 1111'
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value. Each call is a place that a reviewer looks at."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and bool(self._value == other._value)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        msg = "a Secret does not leave the process"
        raise TypeError(msg)
