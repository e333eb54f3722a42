"""Following an export of a personnel system, at the console: upload, say which column is what, look, then do it.

The file goes from page to page in the form itself: nothing of it is kept here before it is done.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from holdfast.kit.errors import HoldfastError, InvalidInput, TooLarge
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.access import rules
from holdfast.procedures.access.services import people, personnel
from holdfast.vocabulary.levels import Role

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

MOST_BYTES: Final = 256 * 1024
_MOST_TYPED: Final = 200


@needs(Permission.LEADS)
@require_http_methods(["GET", "POST"])
@never_cache
def follow(request: HttpRequest) -> HttpResponseBase:
    """Show the step that the form has come to; what was typed and uploaded stays where something is wrong."""
    if Role.ADMIN not in who_of(request).roles:
        raise Http404
    page: dict[str, Any] = {
        "employer": request.POST.get("employer", "").strip()[:_MOST_TYPED],
        "employers": house().read(people.employers(house())),
        "most": MOST_BYTES // 1024,
        "stage": "upload",
    }
    status = 200
    if request.method == "POST":
        try:
            page |= _further(request, page["employer"])
        except (InvalidInput, TooLarge) as error:
            page["error"] = error
            status = 422
    return render(request, "console/people_import.html", page, status=status)


def _further(request: HttpRequest, employer: str) -> dict[str, Any]:
    """What the next page shows: the columns, what would be done, or what was."""
    text = _text(request)
    table = rules.take_apart(text.encode())
    given = {field: request.POST.get(f"map.{field}", "") for field in rules.FIELDS}
    mapping = {field: column for field, column in given.items() if column}
    guess = mapping or rules.guessed(table.columns)
    page: dict[str, Any] = {
        "stage": "map",
        "text": text,
        "columns": table.columns,
        "lines": len(table.lines),
        "sample": [cells for _, cells in table.lines[:3]],
        "fields": [(field, guess.get(field, "")) for field in rules.FIELDS],
    }
    do = request.POST.get("do", "map")
    if do not in {"preview", "apply"}:
        return page
    try:
        steps = house().read(personnel.plan(house(), rules.read(table, mapping), employer))
    except HoldfastError as error:
        if not isinstance(error, InvalidInput):
            raise
        return page | {"error": error}
    if do == "apply":
        steps = personnel.follow(house(), steps, employer)
    counted = Counter(one.what for one in steps)
    return page | {
        "stage": "done" if do == "apply" else "preview",
        "steps": [one for one in steps if one.what != personnel.STAYS or one.note],
        "counted": sorted(counted.items()),
    }


def _text(request: HttpRequest) -> str:
    """The file, as it was uploaded or as it came along from the page before."""
    uploaded = request.FILES.get("file")
    if uploaded is None:
        carried = request.POST.get("text", "")
        if not carried:
            raise InvalidInput("choose a file", field="file")
        return str(carried)
    if uploaded.size is None or uploaded.size > MOST_BYTES:
        raise TooLarge(
            f"a file is up to {MOST_BYTES // 1024} KiB here",
            field="file",
            remedy="For longer ones there is `holdfast person import`.",
        )
    raw: bytes = uploaded.read()
    rules.take_apart(raw)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
