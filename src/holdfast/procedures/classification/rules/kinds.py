"""Kinds of column that a customer file has, each with what we would propose for it.

A kind is finer than a field's type: a mother's maiden name and a customer's name are both of type ``name``, but one
is an answer that only the customer should know. Classes follow the harm that a value can do in the wrong hands;
they are a proposal, and a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import FieldType, Index, Mask

_C0, _C1, _C2, _C3, _C4 = DataClass
_CLEAR, _MASKED, _VERIFY, _REFERENCE = Handling
_T = FieldType


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column holds, and how we would keep it. ``dropped`` says why it is left out instead."""

    id: str
    says: str  # how a reason calls it
    type: FieldType
    data_class: DataClass
    handling: Handling = Handling.CLEAR
    index: Index = Index.NONE
    mask: Mask = Mask.FULL
    dropped: str = ""


_SAD: Final = "nobody may keep it after authorisation (PCI DSS 4.0.1, 3.3.1)"
_ALL: Final = (
    Kind("customer_ref", "a customer number", _T.ACCOUNT, _C1, _CLEAR, Index.SEARCH, Mask.ACCOUNT),
    Kind("record_id", "a record's number", _T.ACCOUNT, _C1, _CLEAR, Index.NONE, Mask.ACCOUNT),
    Kind("name", "a name", _T.NAME, _C1, mask=Mask.NAME),
    Kind("relative", "a relative's name", _T.NAME, _C2, _MASKED, mask=Mask.NAME),
    Kind("maiden_name", "a mother's maiden name", _T.NAME, _C4, _VERIFY, mask=Mask.FULL),
    Kind("phone", "a phone number", _T.PHONE, _C1, _CLEAR, Index.SEARCH, Mask.PHONE),
    Kind("email", "an e-mail address", _T.EMAIL, _C1, _CLEAR, Index.SEARCH, Mask.EMAIL),
    Kind(
        "date_of_birth", "a date of birth", _T.DATE_OF_BIRTH, _C3, _VERIFY, mask=Mask.DATE_OF_BIRTH
    ),
    Kind("national_id", "a national id", _T.NATIONAL_ID, _C4, _VERIFY, mask=Mask.NATIONAL_ID),
    Kind("passport", "a passport number", _T.NATIONAL_ID, _C4, _VERIFY, mask=Mask.NATIONAL_ID),
    Kind(
        "licence", "a driving licence number", _T.NATIONAL_ID, _C4, _VERIFY, mask=Mask.NATIONAL_ID
    ),
    Kind("id_last4", "the end of a national id", _T.TEXT, _C3, _VERIFY),
    Kind("card", "a card number", _T.CARD, _C4, _REFERENCE, mask=Mask.CARD),
    Kind("card_last4", "the end of a card number", _T.TEXT, _C2),
    Kind("card_expiry", "a card's expiry", _T.TEXT, _C3, _MASKED),
    Kind("security_code", "a card security code", _T.TEXT, _C4, dropped=_SAD),
    Kind("pin", "a PIN", _T.TEXT, _C4, dropped=_SAD),
    Kind(
        "password",
        "a password",
        _T.TEXT,
        _C4,
        dropped="an agent never needs it, and nobody should hold it in clear",
    ),
    Kind("security_answer", "a security answer", _T.TEXT, _C4, _VERIFY),
    Kind("account", "an account number", _T.ACCOUNT, _C3, _MASKED, Index.BIND, Mask.ACCOUNT),
    Kind("payment_address", "a payment address", _T.ACCOUNT, _C3, _MASKED, mask=Mask.ACCOUNT),
    Kind("bank_code", "a bank's or branch's code", _T.TEXT, _C0),
    Kind("address", "an address", _T.ADDRESS, _C1, mask=Mask.ADDRESS),
    Kind("place", "a city, province or country", _T.TEXT, _C1),
    Kind("postal_code", "a postal code", _T.TEXT, _C1),
    Kind("coordinate", "a coordinate", _T.TEXT, _C2, _MASKED),
    Kind("demographic", "a personal circumstance", _T.TEXT, _C2, _MASKED),
    Kind("special", "a special category of data (GDPR 9)", _T.TEXT, _C4, _MASKED),
    Kind("balance", "a balance or amount", _T.DECIMAL, _C2),
    Kind("income", "an income", _T.DECIMAL, _C3, _MASKED),
    Kind("date", "a date", _T.DATE, _C1),
    Kind("status", "a status or category", _T.TEXT, _C1),
    Kind("notes", "free text", _T.TEXT, _C3, _MASKED),
    Kind("username", "a user name", _T.TEXT, _C2, _MASKED),
    Kind("network_address", "a network address", _T.TEXT, _C2, _MASKED),
    Kind("device", "a device's number", _T.ACCOUNT, _C2, _MASKED, mask=Mask.ACCOUNT),
    # What is left when nothing is recognised: kept behind a mask until a person has looked.
    Kind("flag", "yes or no", _T.BOOLEAN, _C1),
    Kind("number", "a number", _T.INTEGER, _C2, _MASKED),
    Kind("decimal", "a decimal number", _T.DECIMAL, _C2, _MASKED),
    Kind("text", "text", _T.TEXT, _C2, _MASKED),
)
KINDS: Final[dict[str, Kind]] = {kind.id: kind for kind in _ALL}
