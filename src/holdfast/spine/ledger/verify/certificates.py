"""Certificates of erasure: signed by the house, and borne out by leaves of the log (SPINE 19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdfast.kit.errors import IntegrityBroken, NotAuthenticated
from holdfast.spine.ledger.names import log_of
from holdfast.spine.ledger.note import SignatureType
from holdfast.spine.ledger.statements import SIGNATURE, statement_text, verify_statement
from holdfast.spine.ledger.verify.reading import moment, read_document
from holdfast.spine.ledger.verify.report import CertificateResult
from holdfast.vocabulary.leaves import LeafType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.spine.ledger.note import VerifierKey
    from holdfast.spine.ledger.verify.bundle import BundleFiles
    from holdfast.spine.ledger.verify.report import Report

SHRED: Final = "holdfast/shred-certificate/v1"
CLIENT_SHRED: Final = "holdfast/client-shred-certificate/v1"
_TEXTS: Final = ("log", "refused_at", "erased_at", "copies")
_WHOM: Final = {
    SHRED: "customer",
    CLIENT_SHRED: "client",
}  # by type: the field that says whose erasure it is
_LEAVES: Final = {
    SHRED: (
        LeafType.SHRED_REQUESTED.value,
        LeafType.SHRED_DONE.value,
        LeafType.HOLD_KEPT.value,
    ),
    CLIENT_SHRED: (LeafType.CLIENT_SHRED_REQUESTED.value, LeafType.CLIENT_SHREDDED.value),
}


class Certificate(NamedTuple):
    """A certificate as it was read; ``body`` is what its signature covers."""

    file: str
    body: dict[str, Any]
    authentic: bool

    @property
    def leaf_ids(self) -> list[str]:
        """Leaves that it names."""
        return [leaf["id"] for leaf in self.body["leaves"]]


def read_certificates(
    files: BundleFiles, report: Report, keys: Sequence[VerifierKey]
) -> list[Certificate]:
    """Read and authenticate the certificates of a bundle; what is wrong with one goes into the report."""
    found = []
    signers = [key for key in keys if key.type is SignatureType.ED25519]
    for name, raw in files.certificates():
        try:
            found.append(_read(name, raw, signers))
        except IntegrityBroken as error:
            report.broken("bad_certificate", f"certificate {name}: {error.message}")
        except NotAuthenticated:
            report.broken(
                "forged_certificate",
                f"certificate {name}: it is not signed by a key that was given",
            )
    return found


def _read(name: str, raw: bytes, keys: Sequence[VerifierKey]) -> Certificate:
    document = read_document(raw)
    if keys:
        body, _ = verify_statement(document, keys)
    else:
        body = {key: value for key, value in document.items() if key != SIGNATURE}
        statement_text(body)
    if not _is_shred(body):
        raise IntegrityBroken("it is no certificate that this verifier knows")
    return Certificate(name, body, bool(keys))


def _is_shred(body: Mapping[str, Any]) -> bool:
    whom = _WHOM.get(str(body.get("type")))
    if whom is None or not all(isinstance(body.get(key), str) for key in (*_TEXTS, whom)):
        return False
    if "held" in body and not _is_held(body["type"], body["held"]):
        return False
    leaves = body.get("leaves")
    if not isinstance(leaves, list) or not leaves:
        return False
    return all(
        isinstance(leaf, dict)
        and isinstance(leaf.get("id"), str)
        and type(leaf.get("index", 0)) is int
        for leaf in leaves
    )


def _is_held(kind: str, held: object) -> bool:
    """Whether it says in the right form what was kept: how many fields until when, or how many entries ended."""
    if not isinstance(held, dict):
        return False
    if kind == CLIENT_SHRED:
        return held.keys() == {"ended"} and _is_count(held["ended"])
    if held.keys() != {"fields", "until"} or not _is_count(held["fields"]):
        return False
    return moment(held["until"]) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0  # to isinstance, true is the integer 1


def check_certificates(
    report: Report,
    certificates: Sequence[Certificate],
    leaves: Mapping[str, tuple[int, dict[str, Any]]],
) -> None:
    """Hold each certificate against the leaves of the log."""
    for certificate in certificates:
        body = certificate.body
        wrong = _contradiction(body, leaves, log_of(report.origin))
        if wrong:
            report.broken("certificate_not_in_log", f"certificate {certificate.file}: {wrong}")
        accepted = not wrong and certificate.authentic
        says = (
            f"refused at {body['refused_at']}, erased at {body['erased_at']},"
            f" copies: {body['copies']}{_told_held(body)}"
        )
        if not certificate.authentic:
            says += "; not authenticated: no Ed25519 key was given"
        report.certificates.append(
            CertificateResult(
                certificate.file, str(body[_WHOM[body["type"]]]), accepted, wrong or says
            )
        )


def _told_held(body: Mapping[str, Any]) -> str:
    held = body.get("held")
    if not held:
        return ""
    if "ended" in held:
        return f", entries of holds that ended with it: {held['ended']}"
    return f", kept under a hold until {held['until']}: {held['fields']} fields"


def _contradiction(
    body: Mapping[str, Any], leaves: Mapping[str, tuple[int, dict[str, Any]]], log: str
) -> str:
    """What the log says against the certificate, or nothing."""
    if body["log"] != log:
        return f"it is about the log {body['log']}"
    for named in body["leaves"]:
        if named["id"] not in leaves:
            return f"leaf {named['id']} is not in the log"
        index, leaf = leaves[named["id"]]
        if named.get("index", index) != index:
            return f"leaf {named['id']} stands at {index}, not at {named['index']}"
        whom = _WHOM[body["type"]]
        if leaf["type"] not in _LEAVES[body["type"]] or leaf.get(whom) != body[whom]:
            return f"leaf {named['id']} is not about the erasure of this {whom}"
    about = [leaves[named["id"]][1] for named in body["leaves"]]
    wrong = _erasure(about, _LEAVES[body["type"]][1], body["erased_at"])
    return wrong or (_kept(about, body) if body["type"] == SHRED else "")


def _kept(leaves: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> str:
    """What the leaves of its holds say against it; an older certificate names none and says nothing of any."""
    kept = [leaf for leaf in leaves if leaf["type"] == LeafType.HOLD_KEPT.value]
    held = body.get("held")
    if not kept or held is None:
        return (
            ""
            if not kept and held is None
            else "it and its leaves differ in whether anything is kept"
        )
    lists = [leaf.get("fields") for leaf in kept]
    ends = [moment(leaf.get("until")) for leaf in kept]
    if not all(isinstance(names, list) for names in lists) or None in ends:
        return "a leaf about what is kept cannot be read"
    fields = {str(name) for names in lists if isinstance(names, list) for name in names}
    until = max(end for end in ends if end is not None)
    if len(fields) != held["fields"] or until != moment(held["until"]):
        return "the log says otherwise what is kept, or until when"
    return ""


def _erasure(leaves: Sequence[Mapping[str, Any]], ends: str, erased_at: str) -> str:
    done = [leaf for leaf in leaves if leaf["type"] == ends]
    if not done:
        return "it names no leaf that says the erasure is done"
    at_us = moment(erased_at)
    if at_us is None or any(moment(leaf.get("erased")) != at_us for leaf in done):
        return "the log gives another time of erasure"
    return ""
