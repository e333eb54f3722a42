"""SQL is written once, named, without string building, and never without its client.

A query that reaches into a table which belongs to clients and does not name the client is the one mistake that leaks
one client's data to another. Where a query is meant to look across clients (a sweep, a count for the operator), a
comment above its declaration says why: ``# across clients: <reason>``.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from typing import NamedTuple

import django
import pytest
from django.apps import apps

from architecture.source import PACKAGE, Module, modules
from holdfast.kit.db import Statement

SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH)\s", re.IGNORECASE)
TABLE = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE)\s+([a-z_][a-z0-9_]*)(?:\s+AS)?(?:\s+(?!ON\b|WHERE\b|SET\b|JOIN\b|LEFT\b|INNER\b|CROSS\b"
    r"|ORDER\b|GROUP\b|LIMIT\b|VALUES\b|UNION\b|USING\b|INDEXED\b|RETURNING\b|DEFAULT\b|HAVING\b|EXCEPT\b|SELECT\b)"
    r"([a-z_][a-z0-9_]*))?",
    re.IGNORECASE,
)


class Declared(NamedTuple):
    """One ``NAME = statement(name, text)``: where it stands, and its text as it is run."""

    module: Module
    node: ast.Call
    name: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.module.name}:{self.node.lineno} {self.name}"


def calls(module: Module) -> Iterator[ast.Call]:
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "statement"
        ):
            yield node


def dotted(module: Module) -> str:
    relative = module.path.relative_to(PACKAGE.parent).with_suffix("")
    return ".".join(relative.parts).removesuffix(".__init__")


def declared() -> Iterator[Declared]:
    for module in modules():
        found = list(calls(module))
        if not found or module.path.parent == PACKAGE / "kit" / "db":
            continue
        texts = {
            value.name: value.text
            for value in vars(importlib.import_module(dotted(module))).values()
            if isinstance(value, Statement)
        }
        for node in found:
            name = getattr(node.args[0], "value", None)
            assert name in texts, f"{module.name}:{node.lineno} a statement is a module's constant"
            yield Declared(module, node, name, texts[name])


def in_functions(module: Module) -> Iterator[ast.AST]:
    for function in ast.walk(module.tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for statement in function.body if isinstance(function.body, list) else [function.body]:
                yield from ast.walk(statement)


@pytest.fixture(scope="module")
def of_clients() -> frozenset[str]:
    """Tables with a ``client`` column."""
    django.setup()
    return frozenset(
        model._meta.db_table
        for model in apps.get_models()
        if any(field.column == "client" for field in model._meta.concrete_fields)
    )


def scopes(text: str) -> Iterator[str]:
    """Split off each sub-select, innermost first: a column's name is looked up in its own one."""
    while found := re.search(r"\(\s*(SELECT\b[^()]*(?:\([^()]*\)[^()]*)*)\)", text, re.IGNORECASE):
        yield from scopes(found[1])
        text = text[: found.start()] + "(…)" + text[found.end() :]
    yield text


def names_client(text: str, table: str, alias: str) -> bool:
    inserted = re.search(
        rf"\b(INTO|REPLACE INTO)\s+{table}\s*(?:AS\s+\w+\s*)?\(([^)]*)\)", text, re.IGNORECASE
    )
    if inserted:
        return re.search(r"\bclient\b", inserted[2]) is not None
    condition = re.split(r"\bWHERE\b|\bON\b|\bUSING\b", text, maxsplit=1, flags=re.IGNORECASE)[1:]
    if not condition:
        return False
    qualified = rf"\b({re.escape(alias)}|{table})\.client\b"
    alone = len(set(TABLE.findall(text))) == 1
    bare = r"(?<![.\w])client\b" if alone else r"(?!)"
    return re.search(f"{qualified}|{bare}", condition[0]) is not None


def test_every_statement_names_the_client_whose_rows_it_touches(of_clients):
    missing = [
        f"{found.where} touches {table} without its client"
        for found in declared()
        for scope in scopes(found.text)
        for _, table, alias in TABLE.findall(scope)
        if table in of_clients
        and not names_client(scope, table, alias or table)
        and not found.module.excused(found.node, "across clients")
    ]
    assert not missing, "\n".join(missing)


def test_no_sql_is_built_while_running():
    # A list of columns may be joined into a module's constant; a value never gets near the text.
    built = {
        f"{module.name}:{node.lineno} SQL is built in a function"
        for module in modules()
        for node in in_functions(module)
        if isinstance(node, ast.JoinedStr)
        and node.values
        and isinstance(node.values[0], ast.Constant)
        and SQL.match(str(node.values[0].value))
        and " " in str(node.values[0].value).strip()
        and not module.excused(node, "sql")
    }
    built |= {
        f"{module.name}:{node.lineno} a statement is declared in a function"
        for module in modules()
        for node in in_functions(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "statement"
    }
    assert not built, "\n".join(sorted(built))


def test_sql_stands_in_stores_only():
    strays = [
        f"{module.name}:{node.lineno} SQL belongs into a store.py"
        for module in modules()
        if not (module.path.name == "store.py" or "store" in module.path.parts)
        and (PACKAGE / "kit" / "db") not in module.path.parents
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(
            r"\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s)",
            node.value,
            re.DOTALL,
        )
        and not module.excused(node, "sql")
    ]
    assert not strays, "\n".join(strays)


def test_statements_have_unique_names():
    seen: dict[str, str] = {}
    twice = [
        f"{found.where} and {seen[found.name]}"
        for found in declared()
        if seen.setdefault(found.name, found.where) != found.where
    ]
    assert not twice, "\n".join(twice)


def test_the_lint_looks_into_each_sub_select():
    text = (
        "INSERT INTO t (client) SELECT :client WHERE NOT EXISTS (SELECT 1 FROM u WHERE mac = :mac)"
    )
    inner, outer = scopes(text)
    assert not names_client(inner, "u", "u")
    assert names_client(outer, "t", "t")


@pytest.mark.parametrize(
    ("text", "table", "alias", "expected"),
    [
        ("SELECT a FROM t WHERE client = :client AND x = :x", "t", "t", True),
        ("SELECT client FROM t WHERE x = :x", "t", "t", False),
        ("INSERT INTO t (client, a) VALUES (:client, :a)", "t", "t", True),
        ("INSERT INTO t (a) VALUES (:a)", "t", "t", False),
        ("UPDATE t SET a = :a WHERE x = :x AND client = :client", "t", "t", True),
        ("UPDATE t SET client = :client WHERE x = :x", "t", "t", False),
        ("DELETE FROM t WHERE x = :x", "t", "t", False),
        ("SELECT a FROM t JOIN u ON u.x = t.x WHERE t.client = :client", "t", "t", True),
        ("SELECT a FROM t JOIN u ON u.x = t.x WHERE t.client = :client", "u", "u", False),
        ("SELECT a FROM t v JOIN u ON u.client = v.client WHERE v.x = :x", "t", "v", True),
    ],
)
def test_the_lint_itself_tells_a_safe_query_from_an_unsafe_one(text, table, alias, expected):
    assert names_client(text, table, alias) is expected
