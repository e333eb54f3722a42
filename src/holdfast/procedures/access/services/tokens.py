"""Credentials: issuing, listing, revoking, and the second token that meets a step-up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.clock import rfc3339
from holdfast.kit.db import Round
from holdfast.kit.errors import Conflict, InvalidInput, NotFound
from holdfast.spine.administration.scene import (
    Scene,
    administer,
    clients_of,
    digest_of,
    enter,
    may,
    tell,
)
from holdfast.spine.decision.store import CHALLENGE, CLIENT, USE_CHALLENGE
from holdfast.spine.identity import people
from holdfast.spine.identity.acting import DIRECTORY, DIRECTORY_LEAVE
from holdfast.spine.identity.credentials import (
    PERSON_LIFE_US,
    SERVICE_LIFE_US,
    Bounds,
    IssuedToken,
    hash_secret,
    issue,
    issue_step_up,
    revoke,
)
from holdfast.spine.identity.requester import FIRST, joined, words
from holdfast.spine.identity.store import CREDENTIAL, CREDENTIAL_BY_ID, CREDENTIALS, EMPLOYER
from holdfast.vocabulary.acts import Act
from holdfast.vocabulary.leaves import LeafType
from holdfast.vocabulary.levels import AuthLevel, PersonState

if TYPE_CHECKING:
    from holdfast.kit.db import Row, Work
    from holdfast.spine.identity.acting import HasSettings

_SCOPE: Final = re.compile(r"(?:log|act|act_for|pdp):([a-z0-9][a-z0-9._-]{0,119})")
_OF_EMPLOYER: Final = re.compile(
    rf"(?:{DIRECTORY}|{DIRECTORY_LEAVE})([A-Za-z0-9][A-Za-z0-9._-]{{0,63}})"
)
_SERVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DEVICE: Final = re.compile(r"[\x21-\x7e]{1,128}")
MOST_LISTED: Final = 1000
_BOUNDS: Final = ("networks", "scopes", "device", "client", "key", "certificate", "service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A credential as lists show it. ``person`` is the id, ``holder`` what people call the holder."""

    id: str
    kind: str
    person: str
    service: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    device: str
    client: str
    created_us: int
    expires_us: int
    revoked_us: int | None
    jkt: str = ""
    x5t: str = ""
    via: str = ""
    holder: str = ""

    def state(self, now_us: int) -> str:
        """Return ``live``, ``expired`` or ``revoked``."""
        if self.revoked_us is not None:
            return "revoked"
        return "live" if self.expires_us > now_us else "expired"


def _token_of(row: Row) -> Token:
    employer, staff_id = (row[15], row[16]) if len(row) > 15 else ("", "")
    return Token(
        id=row[0],
        kind=row[1],
        person=row[2] or "",
        service=row[3],
        scopes=words(row[4]),
        networks=words(row[6]),
        device=row[7],
        client=row[8],
        created_us=row[9],
        expires_us=row[10],
        revoked_us=row[11],
        jkt=row[12],
        x5t=row[13],
        via=row[14],
        holder=f"{employer}/{staff_id}" if staff_id else row[3],
    )


def token_body(token: Token) -> dict[str, Any]:
    """Return what a leaf says of a token, beside its person."""
    bounds = {
        "certificate": token.x5t,
        "client": token.client,
        "device": token.device,
        "key": token.jkt,
        "networks": token.networks,
        "service": token.via,
    }
    return {
        "token": token.id,
        "service": token.service,
        "scopes": sorted(token.scopes),
        "bound": [name for name, value in bounds.items() if value],
        "expires": rfc3339(token.expires_us),
    }


def live_tokens(person: str, now_us: int, *, second: bool = False) -> Work[list[Token]]:
    """Return a person's first tokens that are accepted now; with ``second`` those for a step-up, too."""
    (rows,) = yield Round(
        data=(
            CREDENTIALS(after="", person=person, service="", all=0, now=now_us, limit=MOST_LISTED),
        )
    )
    return [_token_of(row) for row in rows if second or row[1] == FIRST]


def create_for_person(
    house: HasSettings, text: str, *, life_us: int | None, bounds: Bounds
) -> Work[IssuedToken]:
    """Issue a token to a person; without a length of life it lasts a shift, twelve hours."""
    entered = yield from enter(house, Act.TOKEN_PERSON)
    member = yield from people.find_person(text)
    if member.state is not PersonState.ACTIVE:
        raise Conflict(f"{member.staff_id} is {member.state}", code="wrong_state")
    yield from _check(bounds)
    if bounds.scopes:
        raise InvalidInput("scopes are for services; a person's rights are judged", field="scope")
    scene = yield from entered.judge(
        clients=(bounds.client,) if bounds.client else None,
        on=member.id,
        keyed=bounds.level is AuthLevel.POSSESSION,
        digest=digest_of(str(life_us), *_bound_texts(bounds)),
        summary={"bound": _bound_names(bounds)},
    )
    issued = yield from issue(
        person=member.id,
        life_us=life_us or PERSON_LIFE_US,
        now_us=scene.now_us,
        bounds=bounds,
        issued_by=joined(scene.acting.hands),
    )
    reached = yield from clients_of(member.id, scene.now_us)
    clients = [client for client in reached if bounds.client in {"", client}]
    yield from _tell_created(scene, issued, clients)
    return issued


def create_for_service(
    house: HasSettings, service: str, *, life_us: int | None, bounds: Bounds
) -> Work[IssuedToken]:
    """Issue a token to a service. It sees no customer's value; its scopes say what it may do."""
    entered = yield from enter(house, Act.TOKEN_SERVICE)
    if not _SERVICE.fullmatch(service):
        raise InvalidInput(
            "a service's name is up to 64 letters, digits and . _ -", field="service"
        )
    if bounds.client or bounds.device or bounds.via:
        raise InvalidInput(
            "a service's token is bound by scopes and networks",
            field="service",
            remedy="Leave out --client, --device and --via; name scopes, e.g. --scope log:CLIENT.",
        )
    clients = yield from _check(bounds)
    scene = yield from entered.judge(
        clients=clients,
        digest=digest_of(service, str(life_us), *_bound_texts(bounds)),
        summary={"service": service, "scopes": sorted(bounds.scopes)},
    )
    issued = yield from issue(
        service=service,
        life_us=life_us or SERVICE_LIFE_US,
        now_us=scene.now_us,
        bounds=bounds,
        issued_by=joined(scene.acting.hands),
    )
    yield from _tell_created(scene, issued, clients)
    return issued


def _bound_texts(bounds: Bounds) -> tuple[str, ...]:
    lists = (",".join(bounds.networks), ",".join(bounds.scopes))
    return (*lists, bounds.device, bounds.client, bounds.jkt, bounds.x5t, bounds.via)


def _bound_names(bounds: Bounds) -> list[str]:
    return [name for name, value in zip(_BOUNDS, _bound_texts(bounds), strict=True) if value]


def _check(bounds: Bounds) -> Work[list[str]]:
    """Refuse bounds that mean nothing; return the clients that the scopes name."""
    if bounds.device and not _DEVICE.fullmatch(bounds.device):
        raise InvalidInput("a device is up to 128 printable ASCII characters", field="device")
    if bounds.via and not _SERVICE.fullmatch(bounds.via):
        raise InvalidInput("a service's name is up to 64 letters, digits and . _ -", field="via")
    yield from _check_directory(bounds.scopes)
    clients = []
    for scope in bounds.scopes:
        if _OF_EMPLOYER.fullmatch(scope):
            continue
        match = _SCOPE.fullmatch(scope)
        if not match:
            raise InvalidInput(
                f"unknown scope {scope}",
                field="scope",
                remedy="There are: log:CLIENT, act:CLIENT, act_for:CLIENT, pdp:CLIENT, scim:EMPLOYER, "
                "scim_leave:EMPLOYER",
            )
        clients.append(match[1])
    for client in [*clients, *filter(None, (bounds.client,))]:
        (rows,) = yield Round(data=(CLIENT(client=client),))
        if not rows:
            raise NotFound(
                f"no client {client}",
                remedy="`holdfast client list` shows the clients of this house.",
            )
    return clients


def _check_directory(scopes: tuple[str, ...]) -> Work[None]:
    """Refuse a directory's token that is for several employers, for one that is not there, or for anything else too."""
    employers = {match[1] for scope in scopes if (match := _OF_EMPLOYER.fullmatch(scope))}
    if not employers:
        return
    (employer, *others) = employers
    meant = {f"{DIRECTORY}{employer}", f"{DIRECTORY_LEAVE}{employer}"}
    if others or f"{DIRECTORY}{employer}" not in scopes or not meant.issuperset(scopes):
        raise InvalidInput(
            "a directory's token is for one employer, and for nothing else",
            field="scope",
            remedy=f"--scope {DIRECTORY}EMPLOYER, with or without --scope {DIRECTORY_LEAVE}EMPLOYER.",
        )
    (rows,) = yield Round(data=(EMPLOYER(id=employer),))
    if not rows:
        raise NotFound(
            f"no employer {employer}", remedy=f"Add it: holdfast employer add {employer}"
        )


def _tell_created(scene: Scene, issued: IssuedToken, clients: list[str]) -> Work[None]:
    token = yield from _by_id(issued.id)
    yield from tell(
        scene, LeafType.TOKEN_CREATED, clients, person=token.person, **token_body(token)
    )


def _by_id(ident: str) -> Work[Token]:
    (rows,) = yield Round(data=(CREDENTIAL_BY_ID(id=ident),))
    if not rows:
        raise NotFound(f"no token {ident}", remedy="`holdfast token list` shows the live ones.")
    return _token_of(rows[0])


def list_tokens(
    house: HasSettings, *, person: str, service: str, everything: bool
) -> Work[list[Token]]:
    """List tokens, live ones only unless ``everything``; without a role, one's own."""
    everybodys = yield from may(house, Act.TOKEN_LIST)
    if everybodys or service:
        yield from administer(house, Act.TOKEN_LIST)
        member = (yield from people.find_person(person)).id if person else ""
    else:
        entered = yield from enter(house, Act.TOKEN_LIST)
        member = (yield from entered.judge(on=person or entered.acting.person)).member.id
    (rows,) = yield Round(
        data=(
            CREDENTIALS(
                after="",
                person=member,
                service=service,
                all=int(everything),
                now=house.clock.now_us(),
                limit=MOST_LISTED,
            ),
        )
    )
    return [_token_of(row) for row in rows]


def revoke_token(house: HasSettings, ident: str) -> Work[Token]:
    """Revoke one token by its id, from the next request on. Everybody may revoke their own.

    :class:`Conflict` when it was revoked before.
    """
    entered = yield from enter(house, Act.TOKEN_REVOKE)
    token = yield from _by_id(ident)
    scene = yield from entered.judge(on=token.person, clients=None)
    yield from _revoke(scene, token)
    return token


def revoke_secret(house: HasSettings, secret: str) -> Work[Token]:
    """Revoke the token whose secret was found somewhere; who holds the secret may always do that."""
    scene = yield from administer(house, Act.TOKEN_REVOKE_FOUND)
    (rows,) = yield Round(data=(CREDENTIAL(secret_hash=hash_secret(secret)),))
    if not rows:
        raise NotFound("no token has this secret")
    token = yield from _by_id(rows[0][0])
    yield from _revoke(scene, token)
    return token


def _revoke(scene: Scene, token: Token) -> Work[None]:
    if not (yield from revoke(token.id, scene.now_us)):
        raise Conflict(f"{token.id} was revoked before", code="revoked")
    yield from _tell_revoked(scene, token)


def revoke_of_person(house: HasSettings, text: str) -> Work[list[Token]]:
    """Revoke all live tokens of a person, second ones too."""
    scene = yield from administer(house, Act.TOKEN_REVOKE, on=text, clients=None)
    tokens = yield from live_tokens(scene.member.id, scene.now_us, second=True)
    for token in tokens:
        yield from _revoke(scene, token)
    return tokens


def _tell_revoked(scene: Scene, token: Token) -> Work[None]:
    clients = {match[1] for scope in token.scopes if (match := _SCOPE.fullmatch(scope))}
    if token.client:
        clients.add(token.client)
    if token.person:
        reached = yield from clients_of(token.person, scene.now_us)
        clients.update(client for client in reached if token.client in {"", client})
    yield from tell(scene, LeafType.TOKEN_REVOKED, clients, token=token.id)


def step_up(house: HasSettings, challenge: str) -> Work[tuple[IssuedToken, str]]:
    """Answer a step-up challenge once, with a second token for the person whom it names; return it and the person.

    The acting person is another than the one who is lifted: an administrator, somebody of security, or a lead who
    works for the same client. Until persons prove themselves in the browser, this second person is the second factor.
    """
    entered = yield from enter(house, Act.TOKEN_STEP_UP)
    (rows,) = yield Round(data=(CHALLENGE(id=challenge),))
    if not rows:
        raise NotFound(
            f"no challenge {challenge}", remedy="It stands in the answer `step_up_required`."
        )
    client, person, contact = rows[0][:3]
    scene = yield from entered.judge(on=person, clients=(client,))
    member = scene.member
    if member.state is not PersonState.ACTIVE:
        raise Conflict(f"{member.staff_id} is {member.state}", code="wrong_state")
    (used,) = yield Round(data=(USE_CHALLENGE(id=challenge, client=client, now_us=scene.now_us),))
    if not used:
        raise Conflict(
            "this challenge was answered before, or has lapsed",
            remedy="Repeat the request; its answer names a new challenge.",
            code="challenge_closed",
        )
    issued = yield from issue_step_up(
        person=person,
        client=client,
        contact=contact,
        challenge=challenge,
        now_us=scene.now_us,
        issued_by=joined(scene.acting.hands),
    )
    yield from tell(
        scene,
        LeafType.TOKEN_STEPPED_UP,
        (client,),
        person=person,
        token=issued.id,
        client=client,
        challenge=challenge,
        expires=rfc3339(issued.expires_us),
    )
    return issued, member.staff_id
