"""What database roles may do, as SQL: made from a declaration, run by the tables' owner or handed to an administrator.

On PostgreSQL alone; a file of SQLite knows no roles. Rights are taken away and given again in one transaction, so that
what is no longer declared is gone, and nobody is without them meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.kit.db.postgres import PostgresConnection

RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_FUNCTIONS: Final = (
    "pg_ls_waldir()",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
    "pg_switch_wal()",
)
_CHECKPOINT: Final = "pg_checkpoint"
_WHERE: Final = """
    SELECT current_user, current_database(), current_schema(),
        COALESCE((SELECT MIN(tableowner) FROM pg_tables WHERE schemaname = current_schema()), current_user),
        (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
"""
_KNOWN: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
_HELD: Final = """
    SELECT c.relname, r.name,
        pg_has_role(%(role)s, c.relowner, 'MEMBER') OR has_table_privilege(%(role)s, c.oid, r.name),
        CASE WHEN r.name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
            THEN has_any_column_privilege(%(role)s, c.oid, r.name) ELSE false END
    FROM pg_class c CROSS JOIN unnest(%(rights)s::text[]) AS r (name)
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
"""
_MAY_ERASE: Final = """
    SELECT f.name FROM unnest(%s::text[]) AS f (name) WHERE NOT has_function_privilege(f.name, 'EXECUTE')
    UNION ALL SELECT 'pg_checkpoint' WHERE NOT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')
    UNION ALL SELECT 'to own the database' WHERE NOT pg_has_role(current_user,
        (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE')
"""


class Place(NamedTuple):
    """Where a connection is, and as whom; ``owner`` is whose the tables are."""

    user: str
    database: str
    schema: str
    owner: str
    superuser: bool


class Grants(NamedTuple):
    """What one role may do in one database: rights by table, e.g. ``SELECT, UPDATE (ends_us)``.

    One that ``erases`` keeps the database: only its keeper may write all tables anew, the planner's notes among them.
    """

    role: str
    tables: Mapping[str, str]
    erases: bool = False


def place(connection: PostgresConnection) -> Place:
    """Return where the connection is."""
    row: Any = connection.raw.execute(_WHERE).fetchone()
    return Place(*row)


def missing_roles(connection: PostgresConnection, names: Sequence[str]) -> list[str]:
    """Return which of ``names`` are no roles of the server."""
    known = {name for (name,) in connection.raw.execute(_KNOWN, (list(names),)).fetchall()}
    return [name for name in names if name not in known]


def grant(connection: PostgresConnection, given: Sequence[Grants]) -> bool:
    """Give each role what is declared in this database, and no more.

    Returns whether all was given: what makes an erasure possible takes a superuser, and is left out for others.
    """
    here = place(connection)
    connection.begin()
    try:
        for line in (*table_rights(here, given), *(keeping(here, given) if here.superuser else ())):
            connection.raw.execute(line)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return here.superuser or not any(one.erases for one in given)


def table_rights(here: Place, given: Sequence[Grants]) -> Iterator[sql.Composed]:
    """What the owner of the tables says."""
    schema = sql.Identifier(here.schema)
    yield sql.SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC").format(schema)
    for one in given:
        role = sql.Identifier(one.role)
        yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, role)
        yield sql.SQL("REVOKE ALL ON ALL SEQUENCES IN SCHEMA {} FROM {}").format(schema, role)
        yield sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, role)
        if any(one.tables.values()):
            yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role)
        for table, rights in one.tables.items():
            if rights:
                yield sql.SQL("GRANT {} ON {} TO {}").format(
                    sql.SQL(rights), sql.Identifier(here.schema, table), role
                )


def keeping(here: Place, given: Sequence[Grants]) -> Iterator[sql.Composed]:
    """What a superuser says once in each database: who connects, who keeps it, and what searching its files takes."""
    schema, database = sql.Identifier(here.schema), sql.Identifier(here.database)
    owner = sql.Identifier(here.owner)
    # Whoever owns a schema may drop its tables: it stays with their owner.
    yield sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(schema, owner)
    yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database)
    yield sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, owner)
    for one in given:
        role = sql.Identifier(one.role)
        connects = "GRANT CONNECT ON DATABASE {} TO {}"
        refused = "REVOKE ALL ON DATABASE {} FROM {}"
        yield sql.SQL(connects if any(one.tables.values()) else refused).format(database, role)
        if one.erases:
            yield sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role)
            for function in _FUNCTIONS:
                yield sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), role)
            yield sql.SQL("GRANT {} TO {}").format(sql.Identifier(_CHECKPOINT), role)


def held(connection: PostgresConnection, role: str) -> dict[str, dict[str, bool]]:
    """Return which rights ``role`` has, by table; False for one that it has on some columns only.

    Whoever owns a table has them all.
    """
    found: dict[str, dict[str, bool]] = {}
    asked = {"role": role, "rights": list(RIGHTS)}
    for table, right, whole, some in connection.raw.execute(_HELD, asked).fetchall():
        if whole or some:
            found.setdefault(table, {})[right] = whole
    return found


def lacks_to_erase(connection: PostgresConnection) -> list[str]:
    """Return what the connection's role lacks to complete an erasure in this database."""
    return [name for (name,) in connection.raw.execute(_MAY_ERASE, (list(_FUNCTIONS),)).fetchall()]
