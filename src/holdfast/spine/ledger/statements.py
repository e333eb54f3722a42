"""Statements of the house about a log: JSON with a signature by the key that signs the log's checkpoints.

The signature is a signed note over a fixed first line and the canonical JSON of everything but ``signature``. That
first line keeps statements and checkpoints apart: no text is both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.kit.canonical import canonical_json
from holdfast.kit.errors import IntegrityBroken
from holdfast.spine.ledger.note import Note, SignatureType, open_note, parse_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.spine.ledger.note import NoteSigner, VerifierKey

FIRST_LINE: Final = "holdfast/statement/v1"
SIGNATURE: Final = "signature"


def statement_text(body: Mapping[str, Any]) -> str:
    """The text that is signed; :class:`IntegrityBroken` when ``body`` has no canonical form."""
    try:
        return f"{FIRST_LINE}\n{canonical_json(dict(body)).decode()}\n"
    except (TypeError, UnicodeEncodeError) as error:
        raise IntegrityBroken(f"a statement without canonical form: {error}") from None


def sign_statement(body: Mapping[str, Any], signer: NoteSigner, at_us: int) -> dict[str, Any]:
    """Return ``body`` with a ``signature``; ``ValueError`` when it has one already."""
    if SIGNATURE in body:
        msg = "the statement is signed already"
        raise ValueError(msg)
    return {**body, SIGNATURE: signer.line(statement_text(body), at_us).text.strip()}


def verify_statement(
    statement: Mapping[str, Any], keys: Iterable[VerifierKey]
) -> tuple[dict[str, Any], VerifierKey]:
    """Return the statement's body and the Ed25519 key among ``keys`` that signed it.

    Raises :class:`IntegrityBroken` when it is malformed or its signature is bad, and :class:`NotAuthenticated` when
    another key signed it.
    """
    body = {name: value for name, value in statement.items() if name != SIGNATURE}
    line = statement.get(SIGNATURE)
    if not isinstance(line, str):
        raise IntegrityBroken("a statement without signature", code="unsigned_statement")
    text = statement_text(body)
    note = parse_note(f"{text}\n{line}\n".encode())
    if note.text != text or len(note.lines) != 1:
        raise IntegrityBroken("a statement carries one signature line", code="malformed_statement")
    candidates = [key for key in keys if key.type is SignatureType.ED25519]
    opened = open_note(Note(text, note.lines).encode(), candidates)
    return body, opened.by[0]
