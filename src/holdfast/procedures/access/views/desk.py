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

from holdfast.kit.errors import Conflict, HoldfastError, InvalidInput
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import asked_of, polled
from holdfast.spine.operations.act import Wanted, act
from holdfast.spine.operations.asking import ask_approval
from holdfast.spine.operations.desk import (
    DeskContact,
    DeskField,
    own_contact,
    own_contacts,
    tell_desk,
)
from holdfast.spine.operations.reason import change_reason
from holdfast.spine.operations.reveal import reveal
from holdfast.spine.operations.search import search
from holdfast.spine.operations.update import update
from holdfast.spine.operations.verify import verify
from holdfast.spine.operations.waiting import MOST_LISTED, list_approvals
from holdfast.spine.turn.answers import Ambiguous, Asked, Found, Refused, Revealed, Shown, Verified
from holdfast.vocabulary.levels import Handling
from holdfast.vocabulary.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponseBase

    from holdfast.spine.turn.answers import ApprovalShown

MOST_TYPED = 200
MOST_PROOF = 12
_PROOF = "desk.proof"


class CardField(NamedTuple):
    """One line of the card: what the field is, and how it stands in the answer (None: not asked for yet)."""

    field: DeskField
    shown: Shown | None
    key: int  # the digit that asks for it in clear

    @property
    def may_be_asked(self) -> bool:
        """Whether it makes sense to ask for it: it is not in clear yet, and may be, or is not there at all."""
        how = self.shown.shown if self.shown is not None else "withheld"
        if self.field.handling is Handling.CLEAR:
            return how != "clear"
        return how == "withheld" and self.field.handling is not Handling.VERIFY_ONLY


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
        if answer.match:
            _remember(request, again, answer.decision)
        return _page(request, again, chosen=customer, verified=answer)
    return _refusal(request, found, answer)


@needs(Permission.SIGNED_IN)
@require_POST
def ask(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Ask somebody else to approve what a decision refused for want of that."""
    found = _found(request, client, contact)
    decision = request.POST.get("decision", "")[:MOST_TYPED]
    house().transact(ask_approval(house(), _asked(request, found), decision))
    return HttpResponseRedirect(_path(found))


@needs(Permission.SIGNED_IN)
@require_POST
def other_reason(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Change what the contact is about, to another reason of its queue; once, and counted if it shows more."""
    found = _found(request, client, contact)
    wanted = request.POST.get("reason", "")[:MOST_TYPED]
    answer = house().transact(change_reason(house(), _asked(request, found), wanted))
    if isinstance(answer, Refused):
        return _refusal(request, found, answer)
    return HttpResponseRedirect(_path(found))


@needs(Permission.SIGNED_IN)
@require_POST
def change(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Change fields of the record that the reason lets be changed."""
    found = _found(request, client, contact)
    given = _typed(request, found.changes)
    if not given:
        return _page(request, found, error="Type what is new.")
    try:
        answer = house().transact(update(house(), _asked(request, found), found.customer, given))
    except (Conflict, InvalidInput) as error:
        return _page(request, found, error=_said(error), changed=given)
    if isinstance(answer, Refused):
        return _refusal(request, found, answer)
    return _page(request, found, done="It is changed.")


@needs(Permission.SIGNED_IN)
@require_POST
def do(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Do something to the customer's account, with what the caller has proven in this contact."""
    found = _found(request, client, contact)
    action = next((one for one in found.actions if one.id == request.POST.get("action")), None)
    if action is None or not found.customer:
        raise Http404
    wanted = Wanted(
        action.id,
        proof=tuple(_proven(request, found)),
        values=_typed(request, action.changes),
        target=request.POST.get("target", "")[:MOST_TYPED],
    )
    try:
        answer = house().transact(act(house(), _asked(request, found), found.customer, wanted))
    except (Conflict, InvalidInput) as error:
        return _page(request, found, error=_said(error))
    if isinstance(answer, Refused):
        return _refusal(request, found, answer)
    return _page(request, found, acted=answer, action=action)


@needs(Permission.SIGNED_IN)
@require_POST
def taken(request: HttpRequest, client: str, contact: str) -> HttpResponseBase:
    """Take note that somebody copied from the card, or printed it: the page says so by itself."""
    found = _found(request, client, contact)
    printed = request.POST.get("how") == "printed"
    signal = Signal.DESK_PRINTED if printed else Signal.DESK_COPIED
    house().transact(tell_desk(house(), found.client, signal, found.ref))
    return HttpResponse(status=204)


def _typed(request: HttpRequest, fields: Sequence[DeskField]) -> dict[str, str]:
    """What was typed into the form for each of these fields; what was left empty is left out."""
    typed = {one.name: request.POST.get(f"value.{one.name}", "").strip() for one in fields}
    return {name: value[:MOST_TYPED] for name, value in typed.items() if value}


def _proven(request: HttpRequest, found: DeskContact) -> list[str]:
    """The decisions by which the caller answered questions in this contact, as this browser remembers them."""
    kept: dict[str, list[str]] = request.session.get(_PROOF, {})
    return kept.get(f"{found.client}/{found.ref}", [])


def _approvals(request: HttpRequest, found: DeskContact) -> list[ApprovalShown]:
    """What this person asked somebody else to approve at this client, and may still be of use."""
    work = list_approvals(
        house(), asked_of(request, client="", contact=""), after="", limit=MOST_LISTED
    )
    return [
        one
        for one in house().read(work).approvals
        if one.own and one.client == found.client and one.state in {"asked", "granted"}
    ]


def _remember(request: HttpRequest, found: DeskContact, decision: str) -> None:
    """Keep a decision that proves something; of older contacts nothing is kept."""
    proven = [*_proven(request, found), decision]
    request.session[_PROOF] = {f"{found.client}/{found.ref}": proven[-MOST_PROOF:]}


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
    page["approvals"] = _approvals(request, found)
    page["proven"] = len(_proven(request, found))
    page["now_us"] = house().clock.now_us()
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
