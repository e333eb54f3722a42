"""People: who works here, on what, and what may be done about it. Each act is one of the house's, judged and told.

Whoever opens a page sees only those whom they may see; somebody else is as absent as nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from holdfast.kit.clock import parse_rfc3339
from holdfast.kit.errors import Conflict, HoldfastError, InvalidInput, NotFound
from holdfast.pages.house import house
from holdfast.pages.permissions import Permission, needs
from holdfast.pages.who import asked_of, who_of
from holdfast.procedures.access.services import assignments, lines, people
from holdfast.procedures.access.services import roster as listing
from holdfast.procedures.access.services.assignments import Line
from holdfast.procedures.access.services.roster import Wanted
from holdfast.procedures.network import services as signing_in
from holdfast.spine.identity.presented import Caller
from holdfast.spine.operations.log_reading import read_timeline
from holdfast.vocabulary.ids import HOUSE_LOG
from holdfast.vocabulary.leaves import SPECS, LeafType
from holdfast.vocabulary.levels import PersonState, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    from holdfast.kit.db import Work
    from holdfast.procedures.access.services.roster import Dossier
    from holdfast.spine.identity.people import Member

MOST_TYPED: Final = 200
_MOST_TOLD: Final = 20
_READ_LOGS: Final = frozenset({Role.ADMIN, Role.SECURITY})


@needs(Permission.LEADS)
@require_safe
@never_cache
def roster(request: HttpRequest) -> HttpResponseBase:
    """Show a page of people; which ones stands in the address."""
    given = {
        name: request.GET.get(name, "").replace("\0", "").strip()[:MOST_TYPED]
        for name in ("text", "state", "role", "employer", "client", "after", "after_id")
    }
    newest = request.GET.get("sort") == "newest"
    found, last = house().read(listing.roster(house(), Wanted(**given, newest=newest)))
    kept = {name: value for name, value in given.items() if value and "after" not in name}
    if newest:
        kept["sort"] = "newest"
    more = ""
    if last is not None:
        place = {"after": last.member.staff_id, "after_id": last.member.id}
        more = "?" + urlencode(kept | place)
    page = {
        "found": found,
        "given": given,
        "newest": newest,
        "filtered": bool(kept.keys() - {"sort"}),
        "more": more,
        "states": list(PersonState),
        "roles": list(Role),
        "badges": _badges(request),
        "runs": Role.ADMIN in who_of(request).roles,
    }
    return render(request, "console/people.html", page)


def _badges(request: HttpRequest) -> list[dict[str, str | int]]:
    if not who_of(request).roles & {Role.ADMIN, Role.SECURITY}:
        return []
    return house().read(people.badges_out(house()))


@needs(Permission.LEADS)
@require_http_methods(["GET", "POST"])
@never_cache
def add(request: HttpRequest) -> HttpResponseBase:
    """Add a person, and assign them if a line is chosen; what was typed stays where something is wrong."""
    if Role.ADMIN not in who_of(request).roles:
        raise Http404
    typed = {
        name: request.POST.get(name, "").strip()[:MOST_TYPED]
        for name in ("staff_id", "employer", "label", "lead", "line")
    }
    roles = _roles(request)
    error: HoldfastError | None = None
    if request.method == "POST":
        try:
            member, _new = house().transact(_adding(typed, roles))
        except (InvalidInput, NotFound, Conflict) as refused:
            error = refused
        else:
            return HttpResponseRedirect(f"/people/{member.id}")
    page = {
        "typed": typed,
        "chosen": [role.value for role in roles] or [Role.AGENT.value],
        "error": error,
        "field": getattr(error, "field", ""),
        "roles": list(Role),
        "lines": house().read(lines.all_lines()),
        "employers": house().read(people.employers(house())),
    }
    return render(request, "console/person_add.html", page, status=422 if error else 200)


def _adding(typed: dict[str, str], roles: list[Role]) -> Work[tuple[Member, bool]]:
    line = _line(typed["line"]) if typed["line"] else None
    return people.add_person(
        house(),
        typed["staff_id"],
        employer=typed["employer"],
        roles=roles,
        label=typed["label"],
        lead=typed["lead"],
        first=None if line is None else lambda ident: assignments.assign(house(), ident, line),
    )


@needs(Permission.LEADS)
@require_safe
@never_cache
def person(request: HttpRequest, person: str) -> HttpResponseBase:
    """Show one person: state, roles, lines, how they sign in, what happened."""
    return _page(request, _dossier(person))


def _dossier(ident: str) -> Dossier:
    try:
        return house().read(listing.dossier(house(), ident.replace("\0", "")))
    except NotFound:
        raise Http404 from None


def _page(
    request: HttpRequest, found: Dossier, *, error: HoldfastError | None = None, what: str = ""
) -> HttpResponseBase:
    own = who_of(request)
    runs = Role.ADMIN in own.roles
    page = {
        "one": found,
        "error": error,
        "what": what,
        "typed": {name: value[:MOST_TYPED] for name, value in request.POST.items()},
        "oneself": own.person == found.member.id,
        "runs": runs,
        "cuts": bool(own.roles & {Role.ADMIN, Role.SECURITY}),
        "roles": list(Role),
        "lines": house().read(lines.all_lines()) if runs else [],
        "told": _told(request, found.reference),
    }
    return render(request, "console/person.html", page, status=422 if error else 200)


def _told(request: HttpRequest, reference: str) -> list[dict[str, Any]] | None:
    """The newest lines of the house's log about a person, for who may read it; None for who may not."""
    if not who_of(request).roles & _READ_LOGS:
        return None
    asked = asked_of(request, client="", contact="")
    caller = Caller(secret_hash=asked.secret_hash, session=True, peer=asked.peer)
    work = read_timeline(house(), caller, HOUSE_LOG, reference, before=None, most=_MOST_TOLD)
    return [
        {
            "index": one.index,
            "what": SPECS[LeafType(one.leaf["type"])].meaning,
            "at_us": parse_rfc3339(one.leaf["time"]),
            "by": one.leaf.get("by", ""),
        }
        for one in house().read(work).leaves
    ]


@needs(Permission.LEADS)
@require_POST
@never_cache
def act(request: HttpRequest, person: str, what: str) -> HttpResponseBase:
    """Do one of the things that a person's page offers; wrong input comes back beside it, with what was typed."""
    done = _ACTS.get(what)
    if done is None:
        raise Http404
    found = _dossier(person)
    try:
        house().transact(done(request, found.member))
    except (InvalidInput, NotFound, Conflict) as error:
        return _page(request, found, error=error, what=what)
    return HttpResponseRedirect(f"/people/{found.member.id}")


@needs(Permission.LEADS)
@require_POST
@never_cache
def invite(request: HttpRequest, person: str) -> HttpResponseBase:
    """Make the link by which a person enrols their first passkey, and show it: once, here."""
    found = _dossier(person)
    try:
        made = house().transact(signing_in.invite(house(), found.member.id, networks=()))
    except (InvalidInput, Conflict) as error:
        return _page(request, found, error=error, what="invite")
    page = {
        "one": found.member,
        "link": f"{settings.HOUSE.origin}/enrol/{made.secret.reveal()}",
        "expires_us": made.expires_us,
    }
    return render(request, "console/invited.html", page)


@needs(Permission.LEADS)
@require_POST
def badge(request: HttpRequest, person: str) -> HttpResponseBase:  # noqa: ARG001
    """Say that a leaver's badge was taken back."""
    house().transact(people.badge_returned(house(), person))
    return HttpResponseRedirect("/people")


def _assign(request: HttpRequest, member: Member) -> Work[object]:
    line = _line(request.POST.get("line", ""))
    return assignments.assign(house(), member.id, line, roles=_roles(request))


def _move(request: HttpRequest, member: Member) -> Work[object]:
    line = _line(request.POST.get("line", ""))
    return assignments.move(house(), member.id, line, roles=_roles(request))


def _unassign(request: HttpRequest, member: Member) -> Work[object]:
    client, _slash, programme = request.POST.get("line", "").partition("/")
    return assignments.unassign(house(), member.id, Line(client, programme, ()))


def _set_roles(request: HttpRequest, member: Member) -> Work[object]:
    chosen = _roles(request)
    if not chosen:
        raise InvalidInput(_("a person has at least one role"), field="roles")
    return people.set_roles(house(), member.id, chosen)


def _lead(request: HttpRequest, member: Member) -> Work[object]:
    return people.set_lead(house(), member.id, request.POST.get("lead", "").strip()[:MOST_TYPED])


def _leave(request: HttpRequest, member: Member) -> Work[object]:
    """Let go for good: only with the staff id typed out, so that nobody does it by a slip."""
    if request.POST.get("typed", "").strip() != member.staff_id:
        raise InvalidInput(
            _("type the staff id exactly as it stands above"),
            field="typed",
            remedy=_("It cannot be undone."),
        )
    return people.leave(house(), member.id)


_ACTS: Final[dict[str, Callable[[HttpRequest, Member], Work[object]]]] = {
    "assign": _assign,
    "move": _move,
    "unassign": _unassign,
    "roles": _set_roles,
    "lead": _lead,
    "leave": _leave,
    "suspend": lambda _request, member: people.suspend(house(), member.id),
    "restore": lambda _request, member: people.restore(house(), member.id),
    "sign-out": lambda _request, member: signing_in.end_sessions(house(), member.id),
}


def _line(text: str) -> Line:
    return house().read(lines.find_line(text.replace("\0", "")[:MOST_TYPED]))


def _roles(request: HttpRequest) -> list[Role]:
    known = {role.value: role for role in Role}
    return [known[text] for text in request.POST.getlist("roles") if text in known]
