"""One page to report something odd, in reach of everybody; one for security to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from holdfast.kit.errors import InvalidInput, NotFound
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import who_of
from holdfast.procedures.culture import services
from holdfast.procedures.culture.rules import Kind

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

_LABELS = {
    Kind.ODD_REQUEST: "Somebody asked for what they should not",
    Kind.OFFER: "Money or a favour was offered for data",
    Kind.LOST: "Something was lost: a device, a badge, a paper",
    Kind.MISTAKE: "A mistake was made, also my own",
    Kind.OTHER: "Something else",
}


@needs(Permission.SIGNED_IN)
@require_http_methods(["GET", "POST"])
@never_cache
def make(request: HttpRequest) -> HttpResponseBase:
    """Take a report, with one's name or without."""
    who = who_of(request)
    kinds = [(kind.value, label) for kind, label in _LABELS.items()]
    page: dict[str, object] = {"kinds": kinds, "own": ()}
    status = 200
    if request.method == "POST":
        text, kind = request.POST.get("text", ""), request.POST.get("kind", "")
        person = "" if request.POST.get("anonymous") else who.person
        page |= {"text": text, "kind": kind, "anonymous": not person}
        try:
            services.report(house(), kind=kind, text=text, person=person)
        except InvalidInput as error:
            page |= {"error": str(error), "field": error.field}
            status = 422
        else:
            return HttpResponseRedirect("/report?sent")
    page["own"] = services.reports(house(), person=who.person, limit=20)
    page["sent"] = "sent" in request.GET
    return render(request, "culture/report.html", page, status=status)


@needs(Permission.REPORT_READERS)
@require_safe
@never_cache
def inbox(request: HttpRequest) -> HttpResponseBase:
    """Show reports to whoever answers them."""
    page = {"reports": services.reports(house()), "labels": dict(_LABELS)}
    return render(request, "culture/reports.html", page)


@needs(Permission.REPORT_READERS)
@require_POST
def answer(request: HttpRequest, report: str) -> HttpResponseBase:
    """Answer one."""
    try:
        services.answer(house(), report, request.POST.get("answer", ""), by=who_of(request).person)
    except NotFound:
        raise Http404 from None
    except InvalidInput:
        return HttpResponseRedirect("/reports?empty")
    return HttpResponseRedirect("/reports")
