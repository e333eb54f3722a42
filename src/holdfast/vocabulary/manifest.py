"""The four ports through which procedures meet, named in one readable place per procedure (DESIGN §3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.vocabulary.facts import FactDeclaration
    from holdfast.vocabulary.leaves import LeafType


class Severity(StrEnum):
    """What a finding of a check does to start-up."""

    ERROR = "error"  # refuses to start
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. ``message`` says what is wrong, ``remedy`` what to do."""

    check: str
    severity: Severity
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A start-up and doctor check with a stable id such as ``vault.E001``.

    ``run`` is ``"module:function"``; the function takes the opened settings and returns findings (none: fine).
    """

    id: str
    statement: str
    run: str


@dataclass(frozen=True, slots=True)
class Control:
    """What a procedure promises, how it is measured, and which requirements it answers."""

    id: str
    statement: str
    measure: str
    target: str
    requirements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A CLI command: ``path`` as typed (``"person add"``), ``target`` as ``"module:attribute"``."""

    path: str
    target: str
    needs_django: bool = True
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody who follows the logs leaf by leaf and keeps tables of its own by what they say.

    Each leaf has its effect once: the place in the log moves in the transaction that writes the effect. What the tables
    hold follows from the leaves alone, in whatever order two logs are read, so that they can be thrown away and made
    anew; a higher ``version`` does that.

    ``fold`` is ``"module:function"``; the function takes a leaf and its place and returns what is to be written, and
    does no more. ``clear`` names the statements (``"module:attribute"``) that take away some of a log's rows, given
    ``log`` and ``most``; they run when the client is erased, too. ``merge`` names a function that makes fewer queries
    of those of many leaves, to the same effect. ``types`` are those it wants, all if there is none; ``logs`` is
    ``client``, ``house`` or ``both``.
    """

    name: str
    version: int
    statement: str
    fold: str
    clear: str
    merge: str = ""
    types: frozenset[LeafType] = frozenset()
    logs: str = "both"


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that a procedure contributes; collected by the composition root, never registered by import."""

    procedure: int
    name: str
    title: str
    sentence: str
    facts: tuple[FactDeclaration, ...] = ()
    signals: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    checks: tuple[Check, ...] = ()
    commands: tuple[Command, ...] = ()
    urls: str = ""
    subscriptions: tuple[Subscription, ...] = ()
