"""Looking at each leaf of a gap, and doing again what erased and what narrowed; in one transaction for each log.

Nothing is undone and nothing widens. What the store cannot tell any more is closed: a client whose contract or schema
was changed in the gap, or whose log lost leaves, answers nobody until a contract is published again; and where the
house's own log lost some, all tokens of persons end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.decision.freezing import UNTIL_LIFTED_US
from holdfast.spine.decision.store import BUMP_FENCE, CLIENT
from holdfast.spine.identity import store as identity
from holdfast.spine.identity.references import credential_reference
from holdfast.spine.identity.requester import joined, words
from holdfast.spine.ledger.entries import leaf_of
from holdfast.spine.ledger.tail import leaves_from
from holdfast.spine.purpose.store import END_OUTAGE, SETTLE
from holdfast.spine.recovery import store
from holdfast.spine.recovery.erasures import Erasures, unsettled
from holdfast.spine.recovery.leaves import Means, is_listed, meaning_of
from holdfast.spine.recovery.spending import Spending
from holdfast.spine.vault.keyring.store import CUSTOMERS_OF_REFERENCES
from holdfast.spine.vault.store import ADD_HOLD, COLLECTION, END_HOLD
from holdfast.vocabulary.ids import client_log
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.levels import PersonState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from holdfast.kit.db import Work
    from holdfast.spine.house import House

_CLIENT_LOG: Final = client_log("")
_PAGE: Final = 2048


class Gap(NamedTuple):
    """A row of the table of gaps."""

    id: str
    log: str
    state: str
    source: str
    by: str
    second: str
    asks: int
    from_size: int
    to_size: int
    from_us: int
    to_us: int
    known: str
    erased: int
    narrowed: int
    not_redone: int
    lost_size: int
    lost_root: bytes
    leaf: str
    at_us: int

    @property
    def lost(self) -> int:
        """How many leaves were signed that nobody has."""
        return max(0, self.lost_size - self.to_size)

    @property
    def client(self) -> str:
        """The client whose log it is; empty for the house's."""
        return self.log.removeprefix(_CLIENT_LOG) if self.log.startswith(_CLIENT_LOG) else ""


@dataclass
class Counts:
    """What was done again, and what was not."""

    erased: int = 0
    narrowed: int = 0
    not_redone: int = 0


def leaves_of(gap: Gap) -> Work[list[tuple[int, dict[str, Any]]]]:
    """Return all leaves of a gap with their indexes, from the log itself, but those that the store knew of."""
    found: list[tuple[int, dict[str, Any]]] = []
    position = gap.from_size
    while position < gap.to_size:
        page = yield from leaves_from(gap.log, position, most=min(_PAGE, gap.to_size - position))
        if not page:
            raise IntegrityBroken(f"log {gap.log} lacks leaf {position}")
        found += [(one.index, leaf_of(one.entry)) for one in page]
        position += len(page)
    return [(index, leaf) for index, leaf in found if f'"{leaf["id"]}"' not in gap.known]


def redo(house: House, gap: Gap) -> Work[Counts]:
    """Do again what erased and narrowed in a gap, and write down that it was done."""
    counts = Counts()
    leaves = yield from leaves_of(gap)
    narrowing = _Narrowing(house, gap, leaves)
    counts.not_redone = sum(is_listed(leaf) for _, leaf in leaves)
    for _, leaf in leaves:
        if meaning_of(leaf) is Means.NARROWS:
            counts.narrowed += yield from narrowing.again(leaf)
    yield from narrowing.end()
    if gap.client and (yield from _is_known(gap.client)):
        yield from Spending(house, gap.client).again([leaf for _, leaf in leaves])
        counts.erased = yield from Erasures(house, gap.client).again(leaf for _, leaf in leaves)
        yield Round(data=(BUMP_FENCE(client=gap.client),))
    counts.erased += sum(
        len(one.back) + one.whole for one in unsettled(house) if one.client == gap.client
    )
    yield Round(
        data=(
            store.REDONE(
                id=gap.id,
                log=gap.log,
                erased=counts.erased,
                narrowed=counts.narrowed,
                not_redone=counts.not_redone,
            ),
        )
    )
    return counts


def _is_known(client: str) -> Work[bool]:
    (rows,) = yield Round(data=(CLIENT(client=client),))
    return bool(rows)


class _Narrowing:
    """Narrowings of one log. Each handler answers whether what its leaf narrowed is narrow now."""

    def __init__(
        self, house: House, gap: Gap, leaves: Iterable[tuple[int, dict[str, Any]]]
    ) -> None:
        self._log, self._client, self._lost = gap.log, gap.client, gap.lost
        joins = LeafType.PERSON_ASSIGNED if gap.client else LeafType.PERSON_ADDED
        self._joined = {leaf["person"] for _, leaf in leaves if leaf["type"] == joins}
        self._now_us = house.clock.now_us()
        self._people: dict[str, str] = {}
        self._contract = 0
        self._outdated = False
        self._handlers: Mapping[LeafType, Callable[[dict[str, Any]], Work[bool]]] = {
            LeafType.PERSON_SUSPENDED: self._suspended,
            LeafType.PERSON_LEFT: self._left,
            LeafType.PERSON_UNASSIGNED: self._unassigned,
            LeafType.PERSON_ASSIGNED: self._unassigned,  # it took the place of what stands here
            LeafType.PERSON_ROLES_CHANGED: self._roles,
            LeafType.TOKEN_REVOKED: self._revoked,
            LeafType.FEED_KEY_RETIRED: self._retired,
            LeafType.PROVISIONAL_OPENED: self._opened,
            LeafType.PROVISIONAL_RECONCILED: self._settled,
            LeafType.PROVISIONAL_UNRECONCILED: self._settled,
            LeafType.OUTAGE_ENDED: self._outage_ended,
            LeafType.CLIENT_FROZEN: self._frozen,
            LeafType.CLIENT_FREEZE_CONFIRMED: self._frozen,
            LeafType.HOLD_PLACED: self._held,
            LeafType.HOLD_LIFTED: self._let_go,
            LeafType.HOLD_EXPIRED: self._let_go,
            LeafType.CONTRACT_PUBLISHED: self._published,
            LeafType.COLLECTION_ADDED: self._declared,
        }

    def again(self, leaf: dict[str, Any]) -> Work[bool]:
        return self._handlers[LeafType(leaf["type"])](leaf)

    def end(self) -> Work[None]:
        """Close a client whose contract or schema is older than what was in force, or whose log lost leaves.

        Where the house's log lost some, close what they may have revoked.
        """
        if self._lost and not self._client:
            yield Round(data=(store.END_TOKENS(now_us=self._now_us),))
        if not self._outdated and not self._lost:
            return
        (rows,) = yield Round(data=(CLIENT(client=self._client),))
        if not rows:
            return
        before, version = rows[0][2], self._contract - 1
        writes = [store.OUTDATE_CLIENT(client=self._client)]
        if version > before:  # the next to be published is the one that was published last
            whose = {"client": self._client, "version": version, "before": before}
            writes += [store.STAND_IN_CONTRACT(**whose), store.SET_CONTRACT_VERSION(**whose)]
        yield Round(data=tuple(writes))

    def _person(self, leaf: dict[str, Any]) -> Work[str]:
        """The person of a leaf; empty for one who came in the gap and is not here."""
        return (yield from self._named(leaf["person"]))

    def _meant(self, leaf: dict[str, Any]) -> Work[list[str]]:
        """Those who may be the person of a leaf: one, or none for who came in the gap.

        A name that the log gave in the gap, to somebody who was here before, can be that of anybody without one.
        """
        person = yield from self._person(leaf)
        if person or leaf["person"] in self._joined:
            return [person] if person else []
        asked = store.NAMELESS(log=self._log, client=self._client, now_us=self._now_us)
        (rows,) = yield Round(data=(asked,))
        return [row[0] for row in rows]

    def _named(self, reference: str) -> Work[str]:
        if reference not in self._people:
            asked = identity.PERSON_OF_REFERENCE(log=self._log, ref=reference)
            (rows,) = yield Round(data=(asked,))
            self._people[reference] = rows[0][0] if rows else ""
        return self._people[reference]

    def _suspended(self, leaf: dict[str, Any]) -> Work[bool]:
        people = yield from self._meant(leaf)
        suspended, active = PersonState.SUSPENDED.value, PersonState.ACTIVE.value
        yield Round(
            data=tuple(identity.SET_STATE(person=p, state=suspended, was=active) for p in people)
        )
        return bool(people)

    def _left(self, leaf: dict[str, Any]) -> Work[bool]:
        person = yield from self._person(leaf)
        if not person:  # who of several it was cannot be told; a suspension can be lifted again
            return (yield from self._suspended(leaf))
        left, now_us = PersonState.LEFT.value, self._now_us
        yield Round(
            data=(
                identity.SET_STATE(person=person, state=left, was=PersonState.ACTIVE.value),
                identity.SET_STATE(person=person, state=left, was=PersonState.SUSPENDED.value),
                identity.END_ALL_ASSIGNMENTS(person=person, now=now_us),
                identity.UNBIND_OS_USER(person=person),
                identity.REVOKE_ALL(person=person, now=now_us),
            )
        )
        return bool(person)

    def _unassigned(self, leaf: dict[str, Any]) -> Work[bool]:
        line = {"client": leaf["client"], "programme": leaf["programme"]}
        joined_here = leaf["type"] == LeafType.PERSON_ASSIGNED
        people = (
            [(yield from self._person(leaf))] if joined_here else (yield from self._meant(leaf))
        )
        ended = [identity.END_ASSIGNMENTS(person=p, now=self._now_us, **line) for p in people]
        answers = yield Round(data=tuple(ended))
        return any(map(bool, answers))

    def _roles(self, leaf: dict[str, Any]) -> Work[bool]:
        person = yield from self._person(leaf)
        (rows,) = yield Round(data=(identity.PERSON(id=person),))
        if not rows:  # whose roles it were cannot be told
            return (yield from self._suspended(leaf))
        had = set(words(rows[0][5]))
        kept = had & set(leaf["roles"])
        yield Round(data=(identity.SET_ROLES(person=person, roles=joined(kept)),))
        return kept != had

    def _revoked(self, leaf: dict[str, Any]) -> Work[bool]:
        token = leaf["token"]
        if self._client:
            (ids,) = yield Round(data=(store.UNREVOKED(),))
            meant = [row[0] for row in ids if credential_reference(row[0], self._log) == token]
            token = meant[0] if meant else token
        (rows,) = yield Round(data=(identity.REVOKE(id=token, now=self._now_us),))
        return bool(rows)

    def _retired(self, leaf: dict[str, Any]) -> Work[bool]:
        asked = store.RETIRE_KEY(feed=leaf["feed"], kid=leaf["kid"], now_us=self._now_us)
        (rows,) = yield Round(data=(asked,))
        return bool(rows)

    def _opened(self, leaf: dict[str, Any]) -> Work[bool]:
        """A contact on a person's word counts as one, though it is closed: they open no other while it waits."""
        person = yield from self._person(leaf)
        row = store.PUT_ON_WORD(
            id=leaf["provisional"],
            client=self._client,
            contact=leaf["contact"],
            person=person,
            basis=leaf["basis"],
            queue=leaf["queue"],
            opened_us=parse_rfc3339(leaf["time"]),
            outage=leaf["cause"] if leaf["basis"] == "outage" else "",
            person_ref=leaf["person"],
        )
        if person:
            yield Round(data=(row,))
        return bool(person)

    def _settled(self, leaf: dict[str, Any]) -> Work[bool]:
        confirmed = leaf["type"] == LeafType.PROVISIONAL_RECONCILED
        asked = SETTLE(
            client=self._client,
            id=leaf["provisional"],
            state="reconciled" if confirmed else "unreconciled",
            now_us=self._now_us,
        )
        (rows,) = yield Round(data=(asked,))
        return bool(rows) and not confirmed

    def _outage_ended(self, leaf: dict[str, Any]) -> Work[bool]:
        asked = END_OUTAGE(client=self._client, id=leaf["outage"], now_us=self._now_us)
        (rows,) = yield Round(data=(asked,))
        return bool(rows)

    def _frozen(self, leaf: dict[str, Any]) -> Work[bool]:
        person = yield from self._named(leaf["by"])
        until = leaf.get("until")
        frozen = store.FREEZE(
            client=self._client,
            now_us=parse_rfc3339(leaf["time"]),
            until_us=parse_rfc3339(until) if until else UNTIL_LIFTED_US,
            by=person,
            reason=leaf.get("reason", ""),
        )
        (rows,) = yield Round(data=(frozen,))
        return bool(rows)

    def _held(self, leaf: dict[str, Any]) -> Work[bool]:
        """Put a hold back: an erasure of the gap, done again, keeps what it kept. Nothing is narrower for it."""
        asked = CUSTOMERS_OF_REFERENCES(client=self._client, refs=[leaf["customer"]])
        (rows,) = yield Round(keys=(asked,))
        if rows:
            placed = ADD_HOLD(
                client=self._client,
                id=leaf["hold"],
                customer=rows[0][1],
                reference=leaf["customer"],
                incident=leaf["incident"],
                placed_by=leaf["by"],
                placed_us=parse_rfc3339(leaf["time"]),
                until_us=parse_rfc3339(leaf["until"]),
                nothing=b"",
            )
            yield Round(data=(placed,))
        return False

    def _let_go(self, leaf: dict[str, Any]) -> Work[bool]:
        state = "lifted" if leaf["type"] == LeafType.HOLD_LIFTED else "expired"
        asked = END_HOLD(
            client=self._client, id=leaf["hold"], state=state, nothing=b"", now_us=self._now_us
        )
        (rows,) = yield Round(data=(asked,))
        return bool(rows)

    def _published(self, leaf: dict[str, Any]) -> Work[bool]:
        self._contract = max(self._contract, int(leaf["contract_version"]))
        self._outdated = True
        yield from ()
        return True

    def _declared(self, leaf: dict[str, Any]) -> Work[bool]:
        (rows,) = yield Round(data=(COLLECTION(client=self._client, name=leaf["collection"]),))
        changed = bool(rows) and int(leaf["schema_version"]) > rows[0][0]
        self._outdated |= changed
        return changed


def told(leaf: Mapping[str, Any]) -> Iterator[str]:
    """Say in a line what a leaf of the gap was about, for the operator's list; it holds no personal data."""
    hidden = {
        "v",
        "type",
        "id",
        "time",
        "by",
        "manifests",
        "contract",
        "policies",
        "record",
        "vkey",
    }
    for name, value in leaf.items():
        if name not in hidden and value not in ("", [], None):
            shown = ",".join(map(str, value)) if isinstance(value, list) else value
            yield f"{name}={shown}"
