"""Who may read a decision, and as which audience (SPINE 2). Pure."""

from __future__ import annotations

from typing import Final

from holdfast.vocabulary.levels import Audience, Role

_OVERSEERS: Final = frozenset({Role.SECURITY, Role.DPO, Role.ADMIN, Role.AUDITOR})
_OF_THE_CLIENT: Final = frozenset({Role.CLIENT_USER, Role.SECURITY, Role.DPO, Role.AUDITOR})


def is_kept_from(*, own: bool, visible: bool, assigned: bool) -> bool:
    """Tell whether a decision is to be answered as one that does not exist.

    Of a client that does not exist no decision is kept. What somebody without a part in a client asked there must be
    answered like that, or the answer would say that the client exists.
    """
    return own and not visible and not assigned


def audience_for(
    *, own: bool, house_roles: frozenset[Role], client_roles: frozenset[Role]
) -> Audience | None:
    """Return as whom somebody reads a decision; None when it is none of their business.

    ``house_roles`` are the reader's roles in the house, ``client_roles`` those of their assignments at the decision's
    client. Whose decision it is reads it as themselves, whatever else they are: nobody learns about the watch on
    themselves by holding a second role.
    """
    if own:
        return Audience.SELF
    if house_roles & _OVERSEERS or client_roles & _OF_THE_CLIENT:
        return Audience.SECURITY
    return Audience.LEAD if Role.LEAD in client_roles else None
