"""What a store lacks of its logs, and where the missing leaves are: found and verified before anything is written.

A log's *end* is the longest head that the signer remembers, that stands published, or that a client's copy carries,
each under our own signatures. A store that does not reach it has a gap. The leaves come from the published files, or
from a copy that somebody else kept, whose every tile is computed anew from its entries: a doctored one gives another
root.

What was signed and never got out stands nowhere, once the store is lost that had it. Such a tail is *lost* if, and only
if, somebody says so of this very log: then its end is the longest head that can be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kit.errors import IntegrityBroken, InvalidInput
from holdfast.spine.ledger.checkpoint import Head
from holdfast.spine.ledger.files import log_folder
from holdfast.spine.ledger.growth import PendingLeaf, State
from holdfast.spine.ledger.keys import FOLDER
from holdfast.spine.ledger.memory import Memory, Remembered
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.publish import published
from holdfast.spine.ledger.sequencer import heads
from holdfast.spine.ledger.signer import LOGS, examine, last_signed, own_head
from holdfast.spine.ledger.tiles import ENTRIES, WIDTH, Tile, decode_bundle, width_at
from holdfast.spine.ledger.verify.bundle import BundleFiles
from holdfast.spine.ledger.verify.replay import Replay
from holdfast.spine.ledger.verify.report import Report
from holdfast.spine.recovery.leaves import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from holdfast.spine.house import House
    from holdfast.spine.ledger.keys import SigningKeys

_Source = tuple[
    Head, BundleFiles, str
]  # a head of ours, the files that have its leaves, what they are
PUBLISHED: Final = "published"
BUNDLE: Final = "bundle"
NONE: Final = "none"
_FETCH: Final = (
    "Ask the client for the copy of its log that it keeps, or take one from where you mirror `logs/`, and run"
    " `holdfast restore --repair --bundle DIR`. If nobody has them, two persons can give them up:"
    " `holdfast restore --repair --lose LOG`."
)
_TWO_HISTORIES: Final = (
    "Put the stores back that belong to these logs; keep all, and find out which is true."
)


class Missing(NamedTuple):
    """A gap of one log: where the store stands, where the log ends, and who has the leaves between."""

    before: State
    end: Head
    files: BundleFiles
    source: str  # PUBLISHED, BUNDLE or NONE
    lost: Remembered | None = None  # the head that was signed, where nobody has all of its leaves

    @property
    def log(self) -> str:
        """The log's name."""
        return self.before.log

    def leaves(self) -> Iterator[list[PendingLeaf]]:
        """The missing leaves in their order, some at a time; an id is the leaf's index."""
        for n in range(self.before.size // WIDTH, -(-self.end.size // WIDTH)):
            width = width_at(ENTRIES, n, self.end.size)
            if n * WIDTH + width <= self.before.size:
                continue
            entries = decode_bundle(self.files.tile(Tile(ENTRIES, n, width)))
            yield [
                PendingLeaf(n * WIDTH + at, time_of(entry), entry)
                for at, entry in enumerate(entries)
                if n * WIDTH + at >= self.before.size
            ]


def missing(
    house: House, bundles: Sequence[Path] = (), *, losing: Iterable[str] = ()
) -> tuple[Missing, ...]:
    """Find the gaps of all logs, each with a source that was verified as a whole.

    ``losing`` names logs whose signed end may be given up, if nobody has it.

    :class:`InvalidInput` for a bundle that is not of this house, or a log to lose that lacks nothing;
    :class:`IntegrityBroken` when a log has two histories, or when nobody has its end.
    """
    return tuple(_Search(house, bundles, losing).run())


class _Search:
    def __init__(self, house: House, bundles: Sequence[Path], losing: Iterable[str]) -> None:
        self._house = house
        self._keys: SigningKeys = house.signing_keys
        self._memory = Memory.open(house.home / FOLDER)
        self._states = {state.log: state for state in house.read(heads())}
        self._bundles: dict[str, list[tuple[Head, BundleFiles]]] = {}
        for log, bundle in map(self._bundle, bundles):
            self._bundles.setdefault(log, []).append(bundle)
        self._losing = set(losing)

    def run(self) -> Iterator[Missing]:
        remembered = {log_of(origin) for origin in self._memory.origins()}
        folder = self._house.home / LOGS
        out = (
            {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
        )
        for log in sorted({*self._states, *remembered, *out, *self._bundles}):
            try:
                keys = self._keys.verifier_keys(log)
            except InvalidInput:  # a folder that somebody made by hand
                continue
            assert keys
            gap = self._gap(log)
            if gap is not None:
                yield gap
            if log in self._losing and (gap is None or gap.lost is None):
                raise InvalidInput(
                    f"log {log} has lost nothing: all that was signed is here",
                    field="--lose",
                    remedy="Leave it out.",
                )
            self._losing.discard(log)
        if self._losing:
            raise InvalidInput(
                f"there is no log {min(self._losing)}",
                field="--lose",
                remedy="Name the log as the refusal did.",
            )

    def _gap(self, log: str) -> Missing | None:
        state = self._states.get(log, State.new(log))
        sources = self._sources(log)
        end = self._memory.last(self._keys.origin(log))
        for head, _, _ in sources:
            end = last_signed(log, end, head)
        if end is None or state.size >= end.size:
            for known in self._known_heads(log):
                self._house.read(examine(state, known))
            self._house.read(examine(state, end))
            return None
        reaching = [one for one in sources if one[0].size == end.size]
        if not reaching and log in self._losing:
            return self._reachable(state, end, sources)
        return self._verified(state, end, reaching)

    def _sources(self, log: str) -> list[_Source]:
        """The published files and the copies of a log that have a head of ours."""
        folder = log_folder(self._house.home, log)
        out = own_head(self._keys, log, published(folder))
        found: list[_Source] = [(out, BundleFiles(folder), PUBLISHED)] if out else []
        return found + [(*bundle, BUNDLE) for bundle in self._bundles.get(log, [])]

    def _reachable(self, state: State, end: Remembered, sources: Sequence[_Source]) -> Missing:
        """Give up the end of a log: what can be reached is the longest head that somebody has, or the store's own."""
        longest = max((head.size for head, _, _ in sources), default=0)
        if longest > state.size:
            best = [one for one in sources if one[0].size == longest]
            reached = Remembered(longest, best[0][0].root, 0)
            return self._verified(state, reached, best)._replace(lost=end)
        for known in self._known_heads(state.log):
            if known.size <= state.size:
                self._house.read(examine(state, known))
        self._house.read(examine(state, None))
        head = Head(self._keys.origin(state.log), state.size, state.root)
        return Missing(state, head, BundleFiles(self._house.home), NONE, lost=end)

    def _verified(self, state: State, end: Remembered, sources: Sequence[_Source]) -> Missing:
        log, wrong = state.log, ""
        for head, files, source in sources:
            report = Report(str(files.folder))
            replay = Replay(files, head.size, report, self._sizes(state))
            complete = replay.run(lambda _index, _entry: None)
            if complete and report.whole and replay.roots[head.size] == head.root:
                self._one_history(state, replay.roots, head.size)
                return Missing(state, head, files, source)
            wrong = report.findings[0].message if report.findings else "its root is another one"
        known = f"{end.size} leaves were signed, the store has {state.size}"
        if not sources:
            raise IntegrityBroken(
                f"log {log}: {known}, and no published file has them",
                remedy=_FETCH,
                code="leaves_lost",
            )
        raise IntegrityBroken(
            f"log {log}: {known}, and their files do not verify: {wrong}",
            remedy=_FETCH,
            code="leaves_lost",
        )

    def _known_heads(self, log: str) -> list[Remembered]:
        """All that carries our signature: in the signer's memory, the published files, and the copies."""
        known = self._memory.last(self._keys.origin(log))
        heads = [known] if known else []
        return heads + [Remembered(head.size, head.root, 0) for head, _, _ in self._sources(log)]

    def _sizes(self, state: State) -> list[int]:
        return [state.size, *(head.size for head in self._known_heads(state.log))]

    def _one_history(self, state: State, roots: Mapping[int, bytes], size: int) -> None:
        """What the store has, the signer remembers, stands published or was kept must be beginnings of the source.

        A longer head than the source's own is one that is given up.
        """
        self._house.read(examine(state, None))
        known = [Remembered(state.size, state.root, 0), *self._known_heads(state.log)]
        if any(0 < head.size <= size and roots[head.size] != head.root for head in known):
            raise IntegrityBroken(
                f"log {state.log} has two histories: stores, signer's memory and files contradict each other",
                remedy=_TWO_HISTORIES,
                code="history_broken",
            )

    def _bundle(self, folder: Path) -> tuple[str, tuple[Head, BundleFiles]]:
        files = BundleFiles(folder)
        note = files.checkpoint()
        for origin in _origins(note):
            head = own_head(self._keys, log_of(origin), note)
            if head is not None:
                return log_of(origin), (head, files)
        raise InvalidInput(
            f"{folder} is no log of this house: its checkpoint is not signed by our keys",
            field="--bundle",
            remedy="Name the folder that `holdfast log export` of this house wrote, or a mirror of its log.",
            code="other_house",
        )


def _origins(note: bytes) -> list[str]:
    """The first line of a checkpoint, if it can be one."""
    first = note.partition(b"\n")[0].decode("utf-8", errors="replace")
    return [first] if "/" in first else []
