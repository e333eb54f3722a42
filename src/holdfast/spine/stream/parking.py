"""What is done with parked leaves, and with a subscriber whose tables are to be made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, HoldfastError, NotFound
from holdfast.spine.stream import store
from holdfast.spine.stream.folding import code_of, folded, merged
from holdfast.spine.stream.reading import NOTHING, Verified, leaf_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kit.db import Query, Work
    from holdfast.spine.stream.follower import Follower
    from holdfast.spine.stream.following import Shell


class Parked(NamedTuple):
    """A leaf that a subscriber passed over, and the code of what it stumbled over."""

    subscriber: str
    log: str
    place: int
    code: str
    tries: int
    at_us: int


def list_parked(subscriber: str = "", *, most: int = 100) -> Work[tuple[Parked, ...]]:
    """Return parked leaves, of one subscriber or of all."""
    (rows,) = yield Round(data=(store.PARKED(subscriber=subscriber, most=most),))
    return tuple(Parked(*row) for row in rows)


def retry(house: Shell, follower: Follower, given: Parked) -> bool:
    """Take a parked leaf to its subscriber once more; tell whether it could be taken now.

    It has its effect once: the leaf is parked no more in the transaction that writes what it comes to.
    :class:`IntegrityBroken` when the leaf is not as the tree has it.
    """
    entry = house.read(leaf_at(given.log, given.place))
    result = folded(follower, given.log, Verified(given.place, (entry,), (NOTHING,)))
    code = result.failed
    if not code:
        try:
            house.transact(_taken(given, merged(follower, result.writes)))
        except Conflict:  # another process was faster
            return True
        except HoldfastError:
            raise
        except Exception as error:  # noqa: BLE001  the database refuses it: parked it stays
            code = code_of(error)
        else:
            return True
    house.transact(_failed_again(given, code))
    return False


def rebuild(follower: Follower, now_us: int) -> Work[int]:
    """Let a subscriber forget all that it keeps and read every log anew; return how many logs that are.

    The worker does it, some at a time, while the house serves.
    """
    asked = store.REBUILD(subscriber=follower.name, nothing=NOTHING, now_us=now_us)
    (rows,) = yield Round(data=(asked,))
    return len(rows)


def named(followers: Sequence[Follower], name: str) -> Follower:
    """Return the subscriber of this name; :class:`NotFound` naming all."""
    for one in followers:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in followers)
    raise NotFound(f"nobody called {name} follows the logs", remedy=f"There are: {known}.")


def _taken(given: Parked, writes: tuple[Query, ...]) -> Work[None]:
    gone = store.UNPARK(subscriber=given.subscriber, log=given.log, idx=given.place)
    (rows,) = yield Round(data=(gone,))
    if not rows:
        raise Conflict("the leaf is not parked any more", code="not_parked")
    if writes:
        yield Round(data=writes)


def _failed_again(given: Parked, code: str) -> Work[None]:
    tried = store.STILL_PARKED(
        subscriber=given.subscriber, log=given.log, idx=given.place, code=code
    )
    yield Round(data=(tried,))
