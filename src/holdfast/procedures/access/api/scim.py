"""SCIM 2.0 (RFC 7644) at ``/scim/v2``: an employer's directory says who works there.

The library knows the protocol and accepts everybody; who asks is found here, before it is reached: a service's token of
the scope ``scim:EMPLOYER``, and nothing else. A browser's session counts for nothing here.
"""

from __future__ import annotations

import json
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpResponse
from scim2_models import SCIMException, UnauthorizedException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from holdfast.kit.buckets import Buckets
from holdfast.kit.clock import monotonic_s
from holdfast.kit.errors import HoldfastError, NotAuthenticated, TooMany
from holdfast.pages.house import house
from holdfast.pages.who import peer_of
from holdfast.procedures.access.api.resources import PROVIDER
from holdfast.procedures.access.api.storage import PeopleStorage, scim_error
from holdfast.spine.identity.acting import named_person
from holdfast.spine.identity.credentials import hash_secret
from holdfast.spine.identity.presented import Caller

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

_SERVICE: Final = ScimService(PROVIDER)
_HANDLER: Final = ScimHandler(_SERVICE, PeopleStorage())
# By token; one that is not accepted counts for the address that it came from: inventing tokens wins nothing.
_KNOWN: Final = Buckets(settings.HOUSE.flood_per_credential, monotonic_s)
_STRANGERS: Final = Buckets(settings.HOUSE.flood_per_credential, monotonic_s)


def answer(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer a directory; an error is told in SCIM's format too."""
    asked = ScimRequest(
        method=request.method or "GET",
        base_url=request.build_absolute_uri("/scim/v2"),
        path=f"/{path}",
        query=request.GET.dict(),
        headers=dict(request.headers),
        body=request.body,
    )
    try:
        _accept(request)
        found = _HANDLER.handle(asked)
    except (SCIMException, HoldfastError) as error:
        found = _refusal(error)
    finally:
        house().directory = None
    content = b"" if found.body is None else json.dumps(found.body).encode()
    sent = HttpResponse(content, status=int(found.status))
    for name, value in found.headers.items():
        sent[name] = value
    return sent


def _accept(request: HttpRequest) -> None:
    """Let the house work in the directory's name if a directory's token came along that is good from there."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    peer = peer_of(request)
    shown = Caller(secret_hash=hash_secret(secret.strip()), peer=peer)
    house().directory = shown
    try:
        if scheme.lower() != "bearer":
            raise UnauthorizedException(detail="Send `Authorization: Bearer <token>`.")
        house().read(named_person(house()))
    except (SCIMException, NotAuthenticated):
        _take(_STRANGERS, peer)
        raise
    _take(_KNOWN, shown.secret_hash)


def _take(buckets: Buckets, key: str | bytes) -> None:
    wait_s = buckets.take(key)
    if wait_s:
        raise TooMany("you ask too fast", retry_after_s=ceil(wait_s))


def _refusal(error: SCIMException | HoldfastError) -> ScimResponse:
    told = error if isinstance(error, SCIMException) else scim_error(error)
    if told is not None:
        return _SERVICE.error_response(told)
    other = SCIMException(detail=str(error))
    other.status = getattr(error, "status", 500)
    answer = _SERVICE.error_response(other)
    wait_s = getattr(error, "retry_after_s", 0)
    return replace(
        answer, headers={**answer.headers, "Retry-After": str(wait_s)} if wait_s else answer.headers
    )
