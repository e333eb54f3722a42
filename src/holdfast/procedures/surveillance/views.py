"""The client's portal: who looked at whose data, in the client's own log, and the page that checks it offline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from holdfast.kit.clock import MINUTE_US
from holdfast.kit.errors import InvalidInput
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import asked_of
from holdfast.spine.ledger.page import verifier_page
from holdfast.spine.operations.own_log import own_clients, read_own

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

_LONGEST_REFERENCE: Final = 64
_MOST_DIGITS: Final = 15
_TOLD: Final = ("op", "act", "signal", "outcome", "basis", "level", "rules", "count")
_REFERENCES: Final = ("person", "by", "customers", "customer", "contact", "decision")


@needs(Permission.CLIENTS_OWN)
@require_safe
@never_cache
def portal(request: HttpRequest) -> HttpResponseBase:
    """List the clients that are the reader's own; with one, go there."""
    asked = asked_of(request, client="", contact="")
    clients = house().read(own_clients(house(), asked))
    if len(clients) == 1:
        return HttpResponseRedirect(f"/portal/{clients[0]}")
    return render(request, "surveillance/portal.html", {"clients": clients})


@needs(Permission.CLIENTS_OWN)
@require_safe
@never_cache
def log(request: HttpRequest, client: str) -> HttpResponseBase:
    """Show a page of a client's log, filtered as the address says."""
    asked = asked_of(request, client="", contact="")
    reference = request.GET.get("reference", "").strip()
    before = _index(request.GET.get("before", ""))
    if len(reference) > _LONGEST_REFERENCE or not reference.isprintable():
        # Whose log it is comes first: a client that is not theirs is absent whatever else was asked.
        house().read(read_own(house(), asked, client))
        raise InvalidInput("a reference or id that stands in lines", field="reference")
    page = house().read(read_own(house(), asked, client, reference=reference, before=before))
    older: list[tuple[str, str]] = [("reference", reference)] if reference else []
    if page.before is not None:
        older.append(("before", str(page.before)))
    age_us = None if page.signed_us is None else house().clock.now_us() - page.signed_us
    shown = {
        "page": page,
        "lines": [_line(one.index, one.leaf, page.signed) for one in page.leaves],
        "reference": reference,
        "older": "" if page.before is None else urlencode(older),
        "age_min": None if age_us is None else max(0, age_us // MINUTE_US),
    }
    return render(request, "surveillance/log.html", shown)


@needs(Permission.CLIENTS_OWN)
@require_safe
def verifier(_request: HttpRequest) -> HttpResponseBase:
    """Hand out the page that checks a bundle of the log without the house."""
    answer = HttpResponse(verifier_page(), content_type="text/html; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="verifier.html"'
    return answer


def _index(text: str) -> int | None:
    """Read where a page begins; what is no index begins at the newest."""
    whole = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if whole else None


def _line(index: int, leaf: dict[str, object], signed: int) -> dict[str, object]:
    """What a page says of a leaf: its own words and references; none of them is a name."""
    fields = leaf.get("fields")
    return {
        "index": index,
        "time": leaf["time"],
        "type": leaf["type"],
        "told": [(name, _text(leaf[name])) for name in _TOLD if leaf.get(name)],
        "references": [
            (name, one) for name in _REFERENCES for one in _text(leaf.get(name)).split(", ") if one
        ],
        "fields": fields.items() if isinstance(fields, dict) else (),
        "signed": index < signed,
    }


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
