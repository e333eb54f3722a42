"""What allauth asks of its surroundings: how somebody becomes signed in, and how factors' secrets are kept."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.utils.translation import gettext as _

from holdfast.edges.console.browser import SIGNED_IN
from holdfast.pages.house import house
from holdfast.pages.who import name_who, peer_of
from holdfast.procedures.network import services
from holdfast.spine.identity.sessions import Browser, hash_cookie

if TYPE_CHECKING:
    from allauth.mfa.models import Authenticator
    from django.http import HttpRequest

    from holdfast.spine.identity.models import Person

_FACTOR: Final = "factor"


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # it publishes no types
    """Signing in makes a session of the house's own; nobody signs up, and no mail is sent."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Persons are added by administrators."""
        return False

    def login(self, request: HttpRequest, user: Person) -> None:
        """Begin a session under a new cookie. What the factor was, the view has put at ``request.shown_by``."""
        shown = request.shown_by  # type: ignore[attr-defined]
        request.session.cycle_key()
        request.session[SIGNED_IN] = True
        request.session.save()
        key = request.session.session_key or ""
        agent = request.headers.get("user-agent", "")
        house().transact(
            services.sign_in(
                *(house(), user.pk, hash_cookie(key)),
                method=shown.method,
                factor=shown.factor,
                seen_by=shown.seen_by,
                browser=Browser(peer=peer_of(request), agent=agent),
            )
        )
        name_who(request)

    def logout(self, request: HttpRequest) -> None:
        """Forget the browser; its session has ended."""
        request.session.flush()
        name_who(request)

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Pages say themselves what happened."""

    def send_notification_mail(self, *args: object, **kwargs: object) -> None:
        """No mail is sent from here: what happened stands in the log, and on the person's own page."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address as every other part of the house reads it."""
        return peer_of(request)


class Factors(DefaultMFAAdapter):  # type: ignore[misc]  # it publishes no types
    """Secrets of factors are sealed under the console's key; a passkey is made for the house's own name."""

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        return base64.b64encode(house().console_key.seal(_FACTOR, text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret; :class:`IntegrityBroken` for one that was changed."""
        return house().console_key.unseal(_FACTOR, base64.b64decode(encrypted_text)).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The relying party: the host of the origin, whatever name a request was sent to."""
        return {"id": urlsplit(settings.HOUSE.origin).hostname or "localhost", "name": self._name()}

    def get_public_key_credential_user_entity(self, user: Person) -> dict[str, bytes | str]:
        """The account: its handle is the person's id, which says nothing about them."""
        return {"id": user.pk.encode(), "name": user.staff_id, "display_name": str(user)}

    def generate_authenticator_name(self, user: Person, type: Authenticator.Type) -> str:  # noqa: A002
        """A name to begin with."""
        from allauth.mfa.models import Authenticator  # noqa: PLC0415  models are there only now

        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}

    def get_totp_issuer(self) -> str:
        """What an authenticator app shows beside the code."""
        return self._name()

    def _name(self) -> str:
        return f"Holdfast {settings.HOUSE.house}"
