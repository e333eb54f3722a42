"""Composition root: the one place that names every procedure's manifest and puts them together.

Nothing registers by being imported; what is not listed here does not take part. It imports no Django, so the command
line and the data plane can read it too; Django reads it from the ``ready()`` of the app that is listed last. What the
house itself declares, beside its procedures, each edge passes in as ``own``.
"""

from collections.abc import Iterable
from typing import Final, TypeVar

from holdfast.procedures.access.manifest import MANIFEST as ACCESS
from holdfast.procedures.classification.manifest import MANIFEST as CLASSIFICATION
from holdfast.procedures.compliance.manifest import MANIFEST as COMPLIANCE
from holdfast.procedures.culture.manifest import MANIFEST as CULTURE
from holdfast.procedures.disposal.manifest import MANIFEST as DISPOSAL
from holdfast.procedures.encryption.manifest import MANIFEST as ENCRYPTION
from holdfast.procedures.incidents.manifest import MANIFEST as INCIDENTS
from holdfast.procedures.network.manifest import MANIFEST as NETWORK
from holdfast.procedures.physical.manifest import MANIFEST as PHYSICAL
from holdfast.procedures.protocols.manifest import MANIFEST as PROTOCOLS
from holdfast.procedures.risk.manifest import MANIFEST as RISK
from holdfast.procedures.surveillance.manifest import MANIFEST as SURVEILLANCE
from holdfast.procedures.training.manifest import MANIFEST as TRAINING
from holdfast.procedures.vendors.manifest import MANIFEST as VENDORS
from holdfast.vocabulary.manifest import Check, Command, Control, Subscription

T = TypeVar("T")

PROCEDURES: Final = (
    CLASSIFICATION,
    RISK,
    ACCESS,
    ENCRYPTION,
    TRAINING,
    NETWORK,
    SURVEILLANCE,
    INCIDENTS,
    PHYSICAL,
    DISPOSAL,
    COMPLIANCE,
    CULTURE,
    VENDORS,
    PROTOCOLS,
)


def commands(own: Iterable[Command] = ()) -> dict[str, Command]:
    """Every command by its path as typed; two of the same path are refused (``ValueError``)."""
    declared = (*own, *(command for manifest in PROCEDURES for command in manifest.commands))
    return _by_unique("command", ((command.path, command) for command in declared))


def checks(own: Iterable[Check] = ()) -> dict[str, Check]:
    """Every start-up check by its id, the house's own first; two of the same id are refused."""
    declared = (*own, *(check for manifest in PROCEDURES for check in manifest.checks))
    return _by_unique("check", ((check.id, check) for check in declared))


def controls() -> dict[str, Control]:
    """Every control by its id."""
    return _by_unique(
        "control",
        ((control.id, control) for manifest in PROCEDURES for control in manifest.controls),
    )


def subscriptions() -> tuple[Subscription, ...]:
    """Who follows the logs, by name; two of the same name are refused."""
    declared = (one for manifest in PROCEDURES for one in manifest.subscriptions)
    return tuple(_by_unique("subscriber", ((one.name, one) for one in declared)).values())


def pages() -> tuple[tuple[str, str], ...]:
    """The procedures that bring pages: name and the dotted path of their URLs."""
    return tuple((manifest.name, manifest.urls) for manifest in PROCEDURES if manifest.urls)


def _by_unique(kind: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"two declarations of {kind} {key}")
        found[key] = value
    return found
