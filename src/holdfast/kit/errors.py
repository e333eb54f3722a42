"""The errors that Holdfast raises on purpose.

::

    HoldfastError
    ├── Denied            403  a rule refuses; carries reasons and remedies
    ├── NotAuthenticated  401  no valid credential
    ├── NotFound          404  the thing does not exist, or may not be known
    ├── Conflict          409  the state does not allow it (now)
    ├── InvalidInput      400  the request is malformed; names the field
    ├── TooLarge          413  the input is over a stated limit
    ├── TooSlow           408  the input did not come in time
    ├── TooMany           429  you ask too fast; nothing was done
    ├── IntegrityBroken   500  ledger or cryptography does not verify; never caught broadly
    └── Unavailable       503  a part is missing or busy; nothing was written, try again

Every error carries a stable ``code``, the HTTP ``status``, a ``message`` that says what happened and a
``remedy`` that says what to try. None of them may hold a field value of a customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class HoldfastError(Exception):
    """Base of all errors raised on purpose.

    ``aftermath`` gives the work of a transaction of its own, for what is written although the operation's own
    transaction was rolled back: the leaf of a refused administrative act. Whoever rolled back runs it.
    """

    code: str = "error"
    status: ClassVar[int] = 500
    aftermath: Callable[[], Any] | None = None

    def __init__(self, message: str, *, remedy: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code


class Denied(HoldfastError):
    """A rule refuses. ``reasons`` are already filtered for the person who reads them."""

    code = "denied"
    status = 403

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: str | None = None,
        reasons: Sequence[object] = (),
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.reasons = tuple(reasons)


class NotAuthenticated(HoldfastError):
    """No valid credential came with the request."""

    code = "not_authenticated"
    status = 401


class NotFound(HoldfastError):
    """The thing does not exist, or the reader may not know that it does."""

    code = "not_found"
    status = 404


class Conflict(HoldfastError):
    """The present state does not allow the operation."""

    code = "conflict"
    status = 409


class InvalidInput(HoldfastError):
    """The input is malformed. ``field`` is a dotted path to the part that is wrong."""

    code = "invalid_input"
    status = 400

    def __init__(
        self, message: str, *, field: str = "", remedy: str = "", code: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.field = field


class TooLarge(InvalidInput):
    """The input is over a stated limit."""

    code = "too_large"
    status = 413


class TooSlow(InvalidInput):
    """The input did not come in time; whoever sends it a byte at a time does not hold a place for ever."""

    code = "too_slow"
    status = 408


class IntegrityBroken(HoldfastError):
    """Stored state does not verify: an edited row, a forged tag, a log that contradicts itself."""

    code = "integrity_broken"
    status = 500


class Unavailable(HoldfastError):
    """A part is missing or busy; nothing was written. ``retry_after_s`` is a hint in seconds."""

    code = "unavailable"
    status = 503

    def __init__(
        self, message: str, *, remedy: str = "", code: str | None = None, retry_after_s: int = 1
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.retry_after_s = retry_after_s


class TooMany(HoldfastError):
    """The caller asks too fast; nothing was done. ``retry_after_s`` is when there is room again, in whole seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, remedy=f"Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s
