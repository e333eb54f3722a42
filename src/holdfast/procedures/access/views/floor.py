"""The floor: what waits for a lead's yes or no, on a page that fits a phone.

Whether somebody may approve is the spine's to say, for each request: the list holds only what they may decide, and what
they asked for themselves. Looking at a request shows masked values, and is a line in the client's log.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import asked_of, polled
from holdfast.spine.operations.approve import decide_approval, show_approval
from holdfast.spine.operations.waiting import MOST_LISTED, list_approvals
from holdfast.spine.turn.answers import Refused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from holdfast.spine.turn.answers import ApprovalShown, Asked

_MOST_PAGES: Final = 10
_WORDS = {"approve": True, "refuse": False}


@needs(Permission.SIGNED_IN)
@require_safe
@never_cache
def floor(request: HttpRequest) -> HttpResponseBase:
    """Show what waits for this person, and what they asked for themselves."""
    found = _listed(request)
    page = {
        "waiting": [one for one in found if not one.own and one.state == "asked"],
        "own": [one for one in found if one.own],
        "mark": _mark(found),
        "done": request.GET.get("done", ""),
    }
    return render(request, "access/floor.html", page)


@needs(Permission.SIGNED_IN)
@polled
@require_safe
@never_cache
def waiting(request: HttpRequest) -> HttpResponseBase:
    """Say whether something came or went since the page was drawn: 204 if not."""
    if request.GET.get("mark", "") == _mark(_listed(request)):
        return HttpResponse(status=204)
    answer = HttpResponse()
    answer["HX-Redirect"] = "/floor"
    return answer


@needs(Permission.SIGNED_IN)
@require_safe
@never_cache
def approval(request: HttpRequest, ident: str) -> HttpResponseBase:
    """Show one request with its reason, and what it is about behind masks."""
    answer = house().transact(show_approval(house(), _asked(request), ident))
    if isinstance(answer, Refused):
        return render(request, "access/not_yours.html", {"refusal": answer}, status=403)
    return render(request, "access/approval.html", {"one": answer})


@needs(Permission.SIGNED_IN)
@require_POST
def decide(request: HttpRequest, ident: str, word: str) -> HttpResponseBase:
    """Approve or refuse one request."""
    if word not in _WORDS:
        raise Http404
    work = decide_approval(house(), _asked(request), ident, grant=_WORDS[word])
    answer = house().transact(work)
    if isinstance(answer, Refused):
        return render(request, "access/not_yours.html", {"refusal": answer}, status=403)
    return HttpResponseRedirect(f"/floor?done={answer.state}")


def _asked(request: HttpRequest) -> Asked:
    return asked_of(request, client="", contact="")


def _listed(request: HttpRequest) -> list[ApprovalShown]:
    """Everything that waits, or was asked for lately, the oldest first; of very much the first pages."""
    found: list[ApprovalShown] = []
    for _ in range(_MOST_PAGES):
        after = found[-1].approval if found else ""
        work = list_approvals(house(), _asked(request), after=after, limit=MOST_LISTED)
        page = house().read(work)
        found.extend(page.approvals)
        if not page.next:
            break
    return found


def _mark(found: list[ApprovalShown]) -> str:
    """What the page remembers of how things stood, to notice that anything has changed."""
    stood = " ".join(f"{one.approval} {one.state}" for one in found)
    return sha256(stood.encode()).hexdigest()[:16]
