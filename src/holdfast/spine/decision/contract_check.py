"""Whether the names in a contract lead somewhere: programmes, queues, reasons, collections and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.spine.decision.contract_actions import check_action_fields, check_actions
from holdfast.spine.decision.contract_exports import check_export_fields
from holdfast.spine.decision.contract_fields import fields_of
from holdfast.spine.decision.contract_incident import check_notify_fields
from holdfast.spine.decision.toml import nearest
from holdfast.vocabulary.levels import DataClass, Handling
from holdfast.vocabulary.schema import Index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from holdfast.spine.decision.toml import Document
    from holdfast.vocabulary.contract import Contract
    from holdfast.vocabulary.schema import CollectionSchema

Path = tuple[str, ...]


def check_names(document: Document, contract: Contract) -> None:
    """Refuse names that nothing defines, and what nothing can reach."""
    for kind, defined in (
        ("programme", contract.grants),
        ("queue", contract.queues),
        ("reason", contract.reasons),
    ):
        if not defined:
            document.fail((), f"a contract needs at least one [[{kind}]]")
    _check_queues(document, contract)
    _check_reasons(document, contract)
    check_actions(document, contract)
    for n, rule in enumerate(contract.rules, 1):
        at = (f"rule[{n}]",)
        _known(document, (*at, "programmes"), rule.programmes, contract.programmes)
        _known(document, (*at, "reasons"), rule.reasons, contract.reasons)
    exempt = sorted(contract.freeze_exempt)
    _known(document, ("freeze", "exempt_reasons"), exempt, contract.reasons)
    for n, case in enumerate(contract.cases, 1):
        at = (f"test[{n}]",)
        _known(document, (*at, "queue"), (case.queue,), contract.queues)
        if case.reason:
            _known(document, (*at, "reason"), (case.reason,), contract.queues[case.queue].reasons)
        if case.action:
            _known(document, (*at, "action"), (case.action,), contract.actions)


def _check_queues(document: Document, contract: Contract) -> None:
    for n, queue in enumerate(contract.queues.values(), 1):
        _known(document, (f"queue[{n}]", "programme"), (queue.programme,), contract.programmes)
        _known(document, (f"queue[{n}]", "reasons"), queue.reasons, contract.reasons)


def _check_reasons(document: Document, contract: Contract) -> None:
    reached = {reason for queue in contract.queues.values() for reason in queue.reasons}
    for n, reason in enumerate(contract.reasons.values(), 1):
        at = (f"reason[{n}]",)
        if reason.id not in reached:
            document.fail((*at, "id"), f'no queue has the reason "{reason.id}"')
        for key, sets, within in (
            ("masked", reason.masked, (reason.fields,)),
            ("approval", reason.approval, (reason.fields, reason.updates)),
        ):
            for collection, fields in sets.items():
                whole = {f for named in within for f in named.get(collection, ())}
                odd = sorted(fields - whole)
                if odd:
                    document.fail(
                        (*at, key, collection), f'"{odd[0]}" is not among the fields of this reason'
                    )


def _known(document: Document, at: Path, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            document.fail(at, f'"{name}" is not defined{nearest(name, known)}')


def check_schemas(
    document: Document, contract: Contract, schemas: Mapping[str, CollectionSchema]
) -> None:
    """Refuse collections and fields that the client does not have, and uses that their schema rules out."""
    for at, collection, fields in _named(contract):
        for _ in fields_of(document, at, collection, fields, schemas=schemas):
            pass  # that each is there is what is asked
    _check_uses(document, contract, schemas)
    check_action_fields(document, contract, schemas)
    check_export_fields(document, contract, schemas)
    check_notify_fields(document, contract, schemas)


def _named(contract: Contract) -> Iterator[tuple[Path, str, Iterable[str]]]:
    for n, reason in enumerate(contract.reasons.values(), 1):
        for key in ("fields", "masked", "updates", "approval"):
            for collection, fields in getattr(reason, key).items():
                yield (f"reason[{n}]", key, collection), collection, fields
    for collection, questions in contract.verification.questions.items():
        yield ("verification", "questions", collection), collection, questions
    for key in ("by", "shows"):
        for collection, fields in getattr(contract.search, key).items():
            yield ("search", key, collection), collection, fields
    for n, rule in enumerate(contract.rules, 1):
        for collection in rule.collections:
            yield (f"rule[{n}]", "collections"), collection, ()
    for n, case in enumerate(contract.cases, 1):
        if case.collection:
            yield (f"test[{n}]", "collection"), case.collection, case.fields


def _check_uses(
    document: Document, contract: Contract, schemas: Mapping[str, CollectionSchema]
) -> None:
    for n, reason in enumerate(contract.reasons.values(), 1):
        for collection, fields in reason.updates.items():
            for name in sorted(fields):
                action = schemas[collection].by_name[name].change
                if action:
                    document.fail(
                        (f"reason[{n}]", "updates", collection),
                        f'"{name}" is changed by {action} only, not by an update',
                    )
    for collection, fields in contract.search.by.items():
        for name in sorted(fields):
            spec = schemas[collection].by_name[name]
            if spec.index is not Index.SEARCH or spec.handling is Handling.VERIFY_ONLY:
                document.fail(
                    ("search", "by", collection), f'the schema does not index "{name}" for search'
                )
    for collection, fields in contract.search.shows.items():
        for name in sorted(fields):
            spec = schemas[collection].by_name[name]
            if spec.data_class > DataClass.C1 or spec.handling is Handling.VERIFY_ONLY:
                document.fail(
                    ("search", "shows", collection),
                    f'a hit shows basic fields (C1 and below) only; "{name}" is {spec.data_class.name}',
                )
