"""The desk: what an agent sees of the contact that is with them now, and how they ask for more.

Every look goes through the path, as one over HTTP does. Pages work as links and forms; with scripts only the part that
changes is fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import msgspec.structs
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from holdfast.kit.errors import HoldfastError, InvalidInput
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import asked_of, polled
from holdfast.spine.operations.desk import DeskContact, DeskField, own_contact, own_contacts
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.search import search
from holdfast.spine.operations.verify import verify
from holdfast.spine.turn.answers import Ambiguous, Asked, Found, Refused, Revealed, Shown, Verified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponseBase

MOST_TYPED = 200


class CardField(NamedTuple):
    """One line of the card: what the field is, and how it stands in the answer (None: not asked for yet)."""

    field: DeskField
    shown: Shown | None
    key: int  # the digit that asks for it in clear

    @property
    def is_masked(self) -> bool:
        """Whether it can be asked for in clear."""
        return self.shown is not None and self.shown.shown == "masked"


@needs(Permission.SIGNED_IN)
@require_safe
@never_cache
def desk(request: HttpRequest) -> HttpResponseBase:
    """Open the one live contact; without one, or with several, show them all."""
    found = _contacts(request)
    open_now = [one for one in found if one.is_open]
    if len(open_now) == 1 and "list" not in request.GET:
        return HttpResponseRedirect(_path(open_now[0]))
    page = {"contacts": found, "open_now": open_now, "mark": _mark(open_now)}
    return render(request, "access/desk.html", page)


@needs(Permission.SIGNED_IN)
@polled
@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponseBase:
    """Say whether something changed since the page was drawn: 204 if not, else where to go."""
    contacts = _contacts(request)
    found = [one for one in contacts if one.is_open]
    at, mark = request.GET.get("at", ""), request.GET.get("mark", "")
    here = next((one for one in contacts if _path(one) == at), None)
    if here is not None and here.is_open and _mark([here]) == mark:
        return HttpResponse(status=204)
    if here is None and _mark(found) == mark:
        return HttpResponse(status=204)
    if here is not None and not found and _mark([here]) == mark:
        return HttpResponse(status=204)
    answer = HttpResponse(status=200)
    answer["HX-Redirect"] = _path(found[0]) if len(found) == 1 else at or "/desk"
    return answer


@needs(Permission.SIGNED_IN)
@require_safe
@never_cache
def contact(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Show one contact: the caller's card if they are known, else how to find and verify them."""
    return _page(request, _found(request, client, contact))


@needs(Permission.SIGNED_IN)
@require_POST
def show(request: HttpRequest, client: str, contact: str, field: str) -> HttpResponseBase:
    """Show one field in clear, for a while; or say why not, and what to do."""
    found = _found(request, client, contact)
    named = next(((n, one) for n, one in enumerate(found.fields, 1) if one.name == field), None)
    if named is None or not found.customer:
        raise Http404
    number, one = named
    answer = house().transact(reveal(house(), _asked(request, found), found.customer, (field,)))
    if isinstance(answer, Revealed) and answer.fields[field].shown != "withheld":
        line = CardField(one, answer.fields[field], number)
        if _is_part(request):
            return render(request, "access/field.html", {"contact": found, "line": line})
        return _page(request, found, clear={field: answer.fields[field]})
    return _refusal(request, found, answer, wanted=one)


@needs(Permission.SIGNED_IN)
@require_POST
def find(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Search the caller by one exact identifier; hits are masked."""
    found = _found(request, client, contact)
    by, value = request.POST.get("by", ""), request.POST.get("value", "").strip()[:MOST_TYPED]
    typed = {"by": by, "value": value}
    if not value:
        return _page(request, found, typed=typed, error="Type what the caller told you.")
    try:
        answer = house().transact(search(house(), _asked(request, found), by, value))
    except InvalidInput as error:
        return _page(request, found, typed=typed, error=_said(error))
    if isinstance(answer, Found):
        return _page(request, found, typed=typed, hits=answer)
    return _refusal(request, found, answer)


@needs(Permission.SIGNED_IN)
@require_POST
def verify_caller(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Compare what the caller answers; nothing of the record is shown."""
    found = _found(request, client, contact)
    customer = request.POST.get("customer", "")[:MOST_TYPED] or found.customer
    answers = {
        one.name: request.POST.get(f"answer.{one.name}", "").strip()[:MOST_TYPED]
        for one in found.questions
    }
    given = {name: value for name, value in answers.items() if value}
    if not given:
        return _page(request, found, chosen=customer, error="Type at least one answer.")
    try:
        answer = house().transact(verify(house(), _asked(request, found), customer, given))
    except InvalidInput as error:
        return _page(request, found, chosen=customer, error=_said(error))
    if isinstance(answer, Verified):
        again = _found(request, client, contact)
        return _page(request, again, chosen=customer, verified=answer)
    return _refusal(request, found, answer)


def _contacts(request: HttpRequest) -> list[DeskContact]:
    asked = asked_of(request, client="", contact="")
    return house().read(own_contacts(house(), asked))


def _found(request: HttpRequest, client: str, contact: str) -> DeskContact:
    """The contact of an address, if it is this person's; else 404, whatever there is of others."""
    asked = asked_of(request, client=client, contact="")
    work = own_contact(house(), msgspec.structs.replace(asked, contact_ref=contact))
    found = house().read(work)
    if found is None:
        raise Http404
    return found


def _asked(request: HttpRequest, found: DeskContact) -> Asked:
    asked = asked_of(request, client=found.client, contact="", collection=found.collection)
    return msgspec.structs.replace(
        asked, contact_ref=found.ref, approval=request.POST.get("approval", "")[:64]
    )


def _page(
    request: HttpRequest,
    found: DeskContact,
    *,
    clear: dict[str, Shown] | None = None,
    error: str = "",
    **more: Any,
) -> HttpResponseBase:
    """Draw the contact's page; what was typed stays in it beside what is wrong."""
    card = _card(request, found, clear or {}) if found.customer and found.is_open else None
    page = {"contact": found, "mark": _mark([found]), "at": _path(found), "error": error, **more}
    if isinstance(card, Refused):
        page["refusal"] = card
    elif card is not None:
        page["card"] = card
    status = 422 if error else 200
    return render(request, "access/contact.html", page, status=status)


def _card(
    request: HttpRequest, found: DeskContact, clear: dict[str, Shown]
) -> Sequence[CardField] | Refused | None:
    """The caller's card: basic fields as they may be shown, the rest behind its mask."""
    names = [one.name for one in found.fields]
    work = reveal(house(), _asked(request, found), found.customer, names, card=True)
    answer = house().transact(work)
    if isinstance(answer, Refused):
        return answer
    if isinstance(answer, Ambiguous):
        return None
    return [
        CardField(one, clear.get(one.name) or answer.fields.get(one.name), number)
        for number, one in enumerate(found.fields, 1)
    ]


def _refusal(
    request: HttpRequest,
    found: DeskContact,
    answer: Refused | Revealed | Ambiguous,
    *,
    wanted: DeskField | None = None,
) -> HttpResponseBase:
    """Show the denial card: on the page, or as the part that takes the place of what was asked for."""
    page: dict[str, object] = {"contact": found, "wanted": wanted, "refusal": answer}
    if isinstance(answer, Revealed) and wanted is not None:
        page["reasons"] = answer.fields[wanted.name].reasons
    if _is_part(request):
        return render(request, "access/refusal.html", page, status=403)
    return render(request, "access/refused.html", page, status=403)


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("hx-request") == "true"


def _said(error: HoldfastError) -> str:
    return f"{error}. {error.remedy}" if error.remedy else f"{error}."


def _mark(found: Sequence[DeskContact]) -> str:
    """What a page remembers of how contacts stood, to notice that they have changed."""
    return " ".join(f"{one.client}/{one.ref}/{one.standing}/{one.customer}" for one in found)


def _path(found: DeskContact) -> str:
    return f"/desk/{quote(found.client)}/{quote(found.ref)}"
