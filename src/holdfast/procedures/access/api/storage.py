"""The directory's view of the people store, as the SCIM library asks for it. Each call is a transaction of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scim2_models import (
    ConflictException,
    ForbiddenException,
    InvalidValueException,
    Meta,
    MutabilityException,
    NotFoundException,
    PreconditionFailedException,
    UnauthorizedException,
    UniquenessException,
)
from scim2_models.path import CompareOperator, Comparison
from scim2_server.storage import ScimStorage, SearchPage

from holdfast.kit.clock import SECOND_US
from holdfast.kit.errors import (
    Conflict,
    Denied,
    HoldfastError,
    InvalidInput,
    NotAuthenticated,
    NotFound,
)
from holdfast.pages.house import house
from holdfast.procedures.access.api.resources import User
from holdfast.procedures.access.services import directory
from holdfast.procedures.access.services.directory import Entry, Stale

if TYPE_CHECKING:
    from collections.abc import Callable

    from scim2_models import (
        Resource,
        ResourceType,
        ResponseParameters,
        SCIMException,
        SearchRequest,
    )


class PeopleStorage(ScimStorage):
    """Persons of the employer in whose directory's name the house works now."""

    def get(
        self,
        resource_type: ResourceType,  # noqa: ARG002  there is one
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,  # noqa: ARG002  all is cheap
    ) -> Resource[Any]:
        """Return one person."""
        return _told(lambda: house().read(directory.entry(house(), resource_id)))

    def search(
        self,
        resource_types: list[ResourceType],  # noqa: ARG002  there is one
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002  pages go by index
    ) -> SearchPage:
        """Return a page of those that a filter matches; by userName, as directories ask before all else, at once."""
        wanted = search_request.filter
        staff_id = _user_name(wanted.ast) if wanted is not None else ""
        entries = _translated(lambda: house().read(directory.entries(house(), staff_id=staff_id)))
        found = [user for user in map(_user, entries) if wanted is None or wanted.match(user)]
        if search_request.sort_by is not None:
            found.sort(key=lambda user: _sorting(search_request, user))
            if search_request.sort_order == search_request.SortOrder.descending:
                found.reverse()
        start = search_request.start_index_0 or 0
        stop = None if search_request.count is None else start + search_request.count
        return SearchPage(len(found), list(found[start:stop]))

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:  # noqa: ARG002
        """Add a person."""
        return _told(lambda: house().transact(directory.create(house(), _entry(resource))))

    def update(
        self,
        resource_type: ResourceType,  # noqa: ARG002  there is one
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        """Let a person be as the directory says."""
        work = directory.change(house(), _entry(resource), version=_bare(expected_version))
        return _told(lambda: house().transact(work))

    def delete(
        self,
        resource_type: ResourceType,  # noqa: ARG002  there is one
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        """Let a person leave."""
        work = directory.remove(house(), resource_id, version=_bare(expected_version))
        _translated(lambda: house().transact(work))


def _told(ask: Callable[[], Entry]) -> User:
    return _user(_translated(ask))


def _translated(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except HoldfastError as error:
        found = scim_error(error)
        if found is None:
            raise
        raise found from error


def scim_error(error: HoldfastError) -> SCIMException | None:
    """Say an error of the house in SCIM's words (RFC 7644 §3.12); None for what is no answer to this request."""
    detail = f"{error.message}. {error.remedy}" if error.remedy else error.message
    if isinstance(error, Stale):
        return PreconditionFailedException(detail=detail)
    if isinstance(error, Conflict):
        taken = error.code == "person_exists"
        return UniquenessException(detail=detail) if taken else ConflictException(detail=detail)
    if isinstance(error, InvalidInput):
        fixed = error.field == "userName"
        return MutabilityException(detail=detail) if fixed else InvalidValueException(detail=detail)
    kinds: dict[type[HoldfastError], type[SCIMException]] = {
        NotFound: NotFoundException,
        NotAuthenticated: UnauthorizedException,
        Denied: ForbiddenException,
    }
    return next(
        (made(detail=detail) for kind, made in kinds.items() if isinstance(error, kind)), None
    )


def _user(entry: Entry) -> User:
    return User(
        id=entry.id,
        external_id=entry.external_id or None,
        user_name=entry.staff_id,
        display_name=entry.label or None,
        active=entry.active,
        meta=Meta(
            resource_type="User",
            created=_moment(entry.created_us),
            last_modified=_moment(entry.changed_us),
            version=f'W/"{entry.version}"',
        ),
    )


def _entry(resource: Resource[Any]) -> Entry:
    assert isinstance(resource, User)
    return Entry(
        id=resource.id or "",
        staff_id=resource.user_name or "",
        external_id=resource.external_id or "",
        label=resource.display_name or "",
        active=resource.active,
    )


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / SECOND_US, UTC)


def _bare(version: str | None) -> str | None:
    return None if version is None else version.removeprefix('W/"').removesuffix('"')


def _user_name(node: Any) -> str:
    """The name that a filter asks for, when it asks for nothing but ``userName eq "…"``; else ""."""
    plain = isinstance(node, Comparison) and node.op == CompareOperator.eq
    if plain and str(node.attr_path).casefold() == "username" and isinstance(node.value, str):
        return "" if "\0" in node.value else node.value
    return ""


def _sorting(request: SearchRequest[Any], user: User) -> tuple[bool, Any, str]:
    value = request.sort_value(user)
    return value is None, "" if value is None else value, user.id or ""
