"""Exports on behalf of the person who acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.spine.identity.acting import named_person
from holdfast.spine.operations.export import (
    fetch_export,
    list_exports,
    request_export,
    show_export,
)

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.kit.db import Work
    from holdfast.spine.house import House
    from holdfast.spine.operations.export import ExportShown, Wanted


def ask(house: House, wanted: Wanted) -> ExportShown:
    """Order an export; see :func:`holdfast.spine.operations.export.request_export`."""
    return house.transact(_ask(house, wanted))


def _ask(house: House, wanted: Wanted) -> Work[ExportShown]:
    acting = yield from named_person(house)
    return (yield from request_export(house, acting, wanted))


def listed(house: House, client: str) -> list[ExportShown]:
    """Return the client's exports; see :func:`holdfast.spine.operations.export.list_exports`."""
    return house.transact(_listed(house, client))


def _listed(house: House, client: str) -> Work[list[ExportShown]]:
    acting = yield from named_person(house)
    return (yield from list_exports(house, acting, client))


def one(house: House, export: str) -> ExportShown:
    """Return one export; see :func:`holdfast.spine.operations.export.show_export`."""
    return house.transact(_one(house, export))


def _one(house: House, export: str) -> Work[ExportShown]:
    acting = yield from named_person(house)
    return (yield from show_export(house, acting, export))


def taken(house: House, export: str) -> Path:
    """Return where the sealed file is; see :func:`holdfast.spine.operations.export.fetch_export`."""
    return house.transact(_taken(house, export))


def _taken(house: House, export: str) -> Work[Path]:
    acting = yield from named_person(house)
    return (yield from fetch_export(house, acting, export))
