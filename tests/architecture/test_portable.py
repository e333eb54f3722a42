"""SQL keeps to the subset that SQLite, PostgreSQL and engines compatible with PostgreSQL have in common.

What a statement may consist of is listed, and all else is refused: the functions, the words, the locks. Text of
any kind that asks for what those engines lack, or do otherwise, is refused everywhere, in ``kit/db`` too. So is a
migration that does more than make tables, columns, plain indexes and plain constraints.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator

import django
import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from architecture.source import PACKAGE, Module, modules
from architecture.test_sql import declared, dotted
from holdfast.kit.db import Statement

FUNCTIONS = frozenset({"count", "sum", "min", "max", "coalesce", "exists"})
_WORDS = """
    SELECT DISTINCT FROM WHERE AND OR NOT IN IS NULL LIKE EXISTS AS JOIN LEFT ON GROUP ORDER BY DESC LIMIT UNION
    WITH RECURSIVE CASE WHEN THEN ELSE END INSERT INTO VALUES CONFLICT DO NOTHING UPDATE SET DELETE RETURNING
    COUNT SUM MIN MAX COALESCE
"""
WORDS = frozenset(_WORDS.split())
LOCKS = re.compile(r"FOR (SHARE|NO KEY UPDATE|UPDATE)( OF [a-z_]+)?\Z|\Z")
#: A job that another worker is claiming is left to it; whoever does without waits a moment longer, and that is all.
SKIPPING = {"jobs"}

#: Constructs, and text that has them: of a statement, or anywhere in the package.
FORBIDDEN = {
    "advisory locks": r"\bpg_(try_)?advisory",
    "LISTEN and NOTIFY": r"\b(LISTEN|NOTIFY|UNLISTEN)\s+[a-z_\"]|\bpg_notify\b",
    "LOCK TABLE": r"\bLOCK\s+(TABLE\s+)?[a-z_\"]+\s+IN\b|\bLOCK\s+TABLE\b",
    "triggers": r"\bCREATE\s+(OR\s+REPLACE\s+)?(TEMP(ORARY)?\s+|CONSTRAINT\s+)?TRIGGER\b",
    "temporary tables": r"\b(TEMP|TEMPORARY|UNLOGGED)\s+(TABLE|VIEW|SEQUENCE)\b",
    "serial numbers": r"\b(BIG|SMALL)?SERIAL\b|\bGENERATED\s+(ALWAYS|BY\s+DEFAULT)\b|\b(next|curr|last)val\s*\(",
    "deferred checks": r"\b(NOT\s+)?DEFERRABLE\b|\bSET\s+CONSTRAINTS\b",
    "exclusion constraints": r"\bEXCLUDE\s+USING\b",
    "stored procedures": r"\bCREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE)\b|\bDO\s+\$|^\s*CALL\s",
    "inheritance and partitions": r"\bINHERITS\b|\bPARTITION\s+(BY|OF)\b",
    "serializable by session": r"\bSET\s+SESSION\b|\bDISCARD\b|\bPREPARE\s+[a-z_]+\s+AS\b",
}


def statements() -> Iterator[tuple[str, Statement]]:
    """Every statement that a module holds, those with another lock included."""
    for module in modules():
        if PACKAGE / "kit" / "db" not in module.path.parents and "statement" in module.text:
            for value in vars(importlib.import_module(dotted(module))).values():
                if isinstance(value, Statement):
                    yield module.name, value


def outside(one: Statement) -> list[str]:
    """What a statement has that stands outside of the subset."""
    text = re.sub(r"'[^']*'", "''", one.text)
    found = [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text, re.IGNORECASE)]
    if not re.match(r"(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b", text):
        found.append(f"a statement that begins with {text.split()[0]}")
    found += [
        f"the word {word}" for word in re.findall(r"\b[A-Z]{2,}\b", text) if word not in WORDS
    ]
    calls = re.findall(
        r"(?<!INTO )(?<!WITH RECURSIVE )\b([a-z_][a-z0-9_]*)\s?\(", text, re.IGNORECASE
    )
    found += [
        f"the function {name}"
        for name in calls
        if name.lower() not in FUNCTIONS and name.upper() not in WORDS and not _is_table(name)
    ]
    found += [f"the operator {sign}" for sign in re.findall(r"::|->>?|~~?\*?|@>|<@|\|\|/|==", text)]
    skips = " SKIP LOCKED"
    lock = one.lock.removesuffix(skips) if one.name.split(".")[0] in SKIPPING else one.lock
    if not LOCKS.match(lock):
        found.append(f"the lock {one.lock}")
    return found


def _is_table(name: str) -> bool:
    return name in {model._meta.db_table for model in apps.get_models()} | {"excluded", "chain"}


@pytest.fixture(scope="module", autouse=True)
def _models():
    django.setup()


def test_every_statement_keeps_to_the_subset():
    found = [f"{where} {one.name}: {what}" for where, one in statements() for what in outside(one)]
    assert not found, "\n".join(sorted(set(found)))


def test_every_statement_that_is_declared_is_looked_at():
    seen = {one.name for _, one in statements()}
    assert {found.name for found in declared()} <= seen
    assert len(seen) > 300


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("SELECT pg_advisory_xact_lock(1)", "advisory locks"),
        ("SELECT pg_try_advisory_lock(1)", "advisory locks"),
        ("LISTEN leaves", "LISTEN and NOTIFY"),
        ("SELECT pg_notify('a', 'b')", "LISTEN and NOTIFY"),
        ("LOCK TABLE ledger_pending IN EXCLUSIVE MODE", "LOCK TABLE"),
        ("CREATE TRIGGER t BEFORE INSERT ON ledger_pending", "triggers"),
        ("CREATE TEMP TABLE t (a int)", "temporary tables"),
        ("CREATE TABLE t (id bigserial)", "serial numbers"),
        ("SELECT nextval('ledger_pending_id_seq')", "serial numbers"),
        ("ALTER TABLE t ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED", "deferred checks"),
        ("SET CONSTRAINTS ALL DEFERRED", "deferred checks"),
        ("ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&)", "exclusion constraints"),
        ("CREATE FUNCTION f() RETURNS int", "stored procedures"),
        ("CALL f()", "stored procedures"),
        ("CREATE TABLE t () INHERITS (u)", "inheritance and partitions"),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
            "serializable by session",
        ),
        ("PRAGMA user_version", "a statement that begins with PRAGMA"),
        ("REPLACE INTO t (a) VALUES (1)", "a statement that begins with REPLACE"),
        ("INSERT OR IGNORE INTO t (a) VALUES (1)", "the word IGNORE"),
        ("SELECT a FROM t ORDER BY a LIMIT 1 OFFSET 2", "the word OFFSET"),
        ("SELECT json_extract(a, '$.b') FROM t", "the function json_extract"),
        ("SELECT a FROM t WHERE b = ANY(:list)", "the word ANY"),
        ("SELECT to_timestamp(a) FROM t", "the function to_timestamp"),
        ("SELECT ifnull(a, 1) FROM t", "the function ifnull"),
        ("SELECT length(a) FROM t", "the function length"),
        ("SELECT a::text FROM t", "the operator ::"),
        ("SELECT a ->> 'b' FROM t", "the operator ->>"),
        ("SELECT a FROM t WHERE a == 1", "the operator =="),
        ("SELECT a FROM t WHERE a GLOB 'x'", "the word GLOB"),
        ("SELECT SUM(a) OVER (PARTITION BY b) FROM t", "the word OVER"),
        ("MERGE INTO t USING u ON 1 = 1", "a statement that begins with MERGE"),
    ],
)
def test_the_lint_finds(text, what):
    assert what in outside(Statement("x", text))


@pytest.mark.parametrize(
    "lock", ["FOR UPDATE SKIP LOCKED", "FOR UPDATE NOWAIT", "FOR KEY SHARE OF a, b"]
)
def test_the_lint_finds_a_lock_that_others_do_not_take(lock):
    assert outside(Statement("ledger.x", "SELECT a FROM t", lock)) == [f"the lock {lock}"]


def test_only_a_job_is_skipped_while_another_claims_it():
    assert outside(Statement("jobs.x", "SELECT a FROM t", "FOR UPDATE SKIP LOCKED")) == []
    assert outside(Statement("x", "SELECT a FROM t", "FOR NO KEY UPDATE OF c")) == []


# ── text anywhere ───────────────────────────────────────────────────────────────────────────────────────────────


def texts(module: Module) -> Iterator[tuple[int, str]]:
    """The strings of a module that are not docstrings."""
    told = {
        id(node.body[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def test_no_text_anywhere_asks_for_what_others_lack():
    found = [
        f"{module.name}:{line} {what}"
        for module in modules()
        for line, text in texts(module)
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, text)
    ]
    assert not found, "\n".join(found)


# ── migrations ──────────────────────────────────────────────────────────────────────────────────────────────────

PLAIN = (
    migrations.CreateModel,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
    migrations.AlterModelOptions,
    migrations.AddField,
    migrations.AlterField,
    migrations.RemoveField,
    migrations.RenameField,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.AddConstraint,
    migrations.RemoveConstraint,
)
#: Tables whose rows are numbered by the database, and why nobody relies on the order.
NUMBERED = {
    "ledger_pending": "the sequencer takes lines in it, and any order of lines that are not sequenced yet is as good",
    "keyring_index": "a number to delete the row by; nothing is ordered by it",
}


def ours() -> Iterator[tuple[str, migrations.Migration]]:
    labels = {
        config.label for config in apps.get_app_configs() if config.name.startswith("holdfast.")
    }
    for (label, name), migration in MigrationLoader(None).disk_migrations.items():
        if label in labels:
            yield f"{label} {name}", migration


def beyond(operation: migrations.operations.base.Operation) -> list[str]:
    """What an operation of a migration does beside plain tables."""
    if not isinstance(operation, PLAIN) or isinstance(operation, migrations.RunSQL):
        return [type(operation).__name__]
    options = getattr(operation, "options", {})
    indexes = [*options.get("indexes", ()), *filter(None, [getattr(operation, "index", None)])]
    found = [
        f"the index {one.name}"
        for one in indexes
        if type(one) is not models.Index or one.expressions or one.include or one.opclasses
    ]
    given = [
        *options.get("constraints", ()),
        *filter(None, [getattr(operation, "constraint", None)]),
    ]
    for one in given:
        plain = type(one) in {models.UniqueConstraint, models.CheckConstraint}
        if not plain or getattr(one, "deferrable", None) or getattr(one, "expressions", None):
            found.append(f"the constraint {getattr(one, 'name', one)}")
    fields = [*getattr(operation, "fields", ()), ("", getattr(operation, "field", None))]
    for name, field in fields:
        if isinstance(field, models.GeneratedField):
            found.append(f"the generated column {name}")
        table = options.get("db_table", "")
        if isinstance(field, models.AutoField | models.BigAutoField) and table not in NUMBERED:
            found.append(f"the numbered column {table}.{name}")
    return found


def test_migrations_make_plain_tables():
    found = [
        f"{where}: {what}"
        for where, migration in ours()
        for operation in migration.operations
        for what in beyond(operation)
    ]
    assert not found, "\n".join(found)
    assert len(list(ours())) > 30


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        (migrations.RunSQL("SELECT 1"), "RunSQL"),
        (migrations.RunPython(migrations.RunPython.noop), "RunPython"),
        (
            migrations.CreateModel("A", [("id", models.BigAutoField(primary_key=True))]),
            "the numbered column .id",
        ),
        (
            migrations.AddConstraint(
                "A",
                models.UniqueConstraint(
                    fields=["a"], name="u", deferrable=models.Deferrable.DEFERRED
                ),
            ),
            "the constraint u",
        ),
        (
            migrations.AddIndex("A", models.Index(models.F("a").desc(), name="i")),
            "the index i",
        ),
        (
            migrations.AddField(
                "A",
                "b",
                models.GeneratedField(
                    expression=models.F("a"), output_field=models.TextField(), db_persist=True
                ),
            ),
            "the generated column ",
        ),
    ],
)
def test_the_lint_finds_in_a_migration(operation, what):
    assert beyond(operation) == [what]


def test_nobody_relies_on_the_numbers_that_the_database_gives():
    by_number = {
        one.name
        for _, one in statements()
        for table in NUMBERED
        if re.search(rf"\b{table}\b", one.text) and re.search(r"ORDER BY id\b", one.text)
    }
    assert by_number <= {"ledger_pending", "recovery.pending_of"}, by_number
