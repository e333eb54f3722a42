"""What this house keeps of a SCIM user (RFC 7643), and what it says of itself.

A directory sends much more: names, addresses, telephone numbers. What no rule of the house needs is dropped unread and
not stored; the schema that is served says so.
"""

from __future__ import annotations

from typing import Annotated, Final

from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ETag,
    Filter,
    Mutability,
    Patch,
    Required,
    Resource,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

MOST_RESULTS: Final = 500


class User(Resource):  # type: ignore[type-arg]  # it has no extensions
    """A person of the employer whose directory asks."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[
        str | None, Uniqueness.server, Required.true, CaseExact.true, Mutability.immutable
    ] = None
    """The staff id, by which feeds name the person. It does not change."""

    display_name: str | None = None
    """How lists show the person."""

    active: bool | None = None
    """Whether the person works now. Who does not is refused everything, from the next request on."""


CONFIG: Final = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=True),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Service token",
            description="A token of the scope scim:EMPLOYER: holdfast token create --service.",
        )
    ],
)
#: Directories in use send attributes that are not kept, say what they remove, and address entries that are not there
#: yet; all of that is understood.
POLICY: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER: Final = ScimProvider(models=[User], config=CONFIG, policy=POLICY)
