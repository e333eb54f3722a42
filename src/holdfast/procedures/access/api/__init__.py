"""What programs of others ask of this procedure over HTTP: an employer's directory, by SCIM 2.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.cache import never_cache

from holdfast.pages.permissions import Permission, needs

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


@needs(Permission.OWN_TOKEN)
@never_cache
def scim(request: HttpRequest, path: str) -> HttpResponseBase:
    """Answer a directory. The library takes two seconds to load: the first directory that asks waits for it."""
    from holdfast.procedures.access.api.scim import answer  # noqa: PLC0415

    return answer(request, path)
