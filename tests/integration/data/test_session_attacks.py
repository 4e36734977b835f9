"""What SQL of one organisation could leave behind for the next one on the same connection, and what else there is to read.

`test_tenancy_attacks` tries tables, rows and roles; here it is cursors, temporary tables, statements and plans, functions and
views that a migration might add, statistics, and messages of errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pg8000 import native

from infra.lint.rls import SCHEMAS
from tests.integration.data.test_tenancy_attacks import DENIED, LOGINS, Two, of, refused, refused_in_unit, state
from tests.support.database import DatabaseServer, actor_in, work_role
from tests.support.tenants import TenantTable, two_tenants

_RELATIONS = """
select format('%I.%I', n.nspname, c.relname), c.relkind::text
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') and n.nspname not in ('pg_catalog', 'information_schema')
  and n.nspname !~ '^pg_(toast|temp)'
order by 1
"""
_MISSING = {"34000", "42P01", "26000"}  # no such cursor, table, prepared statement


@pytest.fixture(scope="module")
def two(database_server: DatabaseServer) -> Iterator[Two]:
    """Two organisations; a test adds objects of its own names and changes no row."""
    with two_tenants(database_server) as tenants, database_server.clone(tenants.template) as database:
        yield of(database, tenants)


def readable(two: Two, login: str) -> list[TenantTable]:
    """Return the tenant tables that a login's work role may read."""
    found = [table for table in two.tables if two.may(work_role(login), "select", table)]
    assert found
    return found


def orgs_of(rows: list[dict[str, Any]]) -> set[UUID]:
    return {row["org"] for row in rows}


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_touches_no_relation_of_any_schema(two: Two, login: str) -> None:
    """Every table, view and sequence there is, those of no organisation and the migrations' own too."""
    connection = two.database.connect(login)
    relations = two.database.owner.run(_RELATIONS)
    assert len(relations) > 15
    for name, kind in relations:
        statements = [f"select * from {name}"]
        if kind == "S":
            statements += [f"select nextval('{name}')", f"select setval('{name}', 1)"]
        else:
            columns = ", ".join(f"{column} = {column}" for column in _columns(two, name)[:1])
            statements += [
                f"insert into {name} default values", f"update {name} set {columns}", f"delete from {name}", f"truncate {name}",
                f"do $do$ begin lock table {name}; end $do$", f"copy {name} to stdout", f"copy {name} from stdin",
                f"drop table {name}", f"alter table {name} add column mine integer", f"create index on {name} ((1))",
                f"comment on table {name} is 'mine'",
            ]  # fmt: skip
        for sql in statements:
            assert refused(connection, sql) == DENIED, f"{login} ran: {sql}"


def _columns(two: Two, name: str) -> list[str]:
    sql = "select attname::text from pg_attribute where attrelid = cast(:name as regclass) and attnum > 0 and not attisdropped"
    return [row[0] for row in two.database.owner.run(sql, name=name)]


@pytest.mark.parametrize("login", LOGINS)
def test_a_cursor_that_outlives_its_unit_holds_no_rows_for_the_next(two: Two, login: str) -> None:
    for table in readable(two, login):
        db, column = two.db(login), table.tenant_column
        with db.unit(actor_in(two.mine)) as tx:
            tx.execute(f"declare kept cursor with hold for select {column} as org from {table.name}")
        assert refused_in_unit(two, login, "fetch all from kept") in _MISSING, f"{login} keeps rows of {table.name}"
        with pytest.raises(ZeroDivisionError), db.unit(actor_in(two.mine)) as tx:
            tx.execute(f"declare kept cursor with hold for select {column} as org from {table.name}")
            _ = 1 / 0
        assert refused_in_unit(two, login, "fetch all from kept") in _MISSING


@pytest.mark.parametrize("login", LOGINS)
def test_a_temporary_table_does_not_outlive_its_unit(two: Two, login: str) -> None:
    for table in readable(two, login)[:3]:
        with two.db(login).unit(actor_in(two.mine)) as tx:
            tx.execute(f"create temporary table kept as select {table.tenant_column} as org from {table.name}")
        assert refused_in_unit(two, login, "select org from kept") in _MISSING, f"{login} keeps rows of {table.name}"


@pytest.mark.parametrize("login", LOGINS)
def test_a_statement_prepared_in_one_unit_runs_for_the_organisation_of_the_other(two: Two, login: str) -> None:
    for number, table in enumerate(readable(two, login)):
        column = table.tenant_column
        with two.db(login).unit(actor_in(two.mine)) as tx:
            tx.execute(f"prepare kept_{number} as select {column} as org from {table.name}")
            for _ in range(7):  # past the point where a plan is kept
                assert orgs_of(tx.rows(f"execute kept_{number}")) == {two.mine}
        with two.db(login).unit(actor_in(two.other)) as tx:
            assert orgs_of(tx.rows(f"execute kept_{number}")) == {two.other}, table.name


def test_settings_of_one_unit_are_gone_in_the_next(two: Two) -> None:
    db = two.db("keys_login")
    with db.unit(actor_in(two.mine)) as tx:
        tx.execute("select set_config('app.org_id', :mine, false)", mine=str(two.mine))
        tx.execute("set search_path = pg_temp, core")
        tx.execute("set statement_timeout = 0")
    with db.unit(actor_in(None)) as tx:
        found = tx.row("select current_setting('app.org_id', true) as org, current_setting('search_path') as path")
    assert found == {"org": "", "path": '"$user", public'}


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("language", ["sql", "plpgsql", "inlined sql"])
def test_a_function_of_a_migration_sees_what_its_caller_sees(two: Two, login: str, language: str) -> None:
    """Bodies are inlined and their plans kept; the policies must be those of each call. Source: CVE-2023-2455, CVE-2024-10976."""
    owner, role = two.database.owner, work_role(login)
    for number, table in enumerate(readable(two, login)):
        query = f"select {table.tenant_column} from {table.name}"
        body = f"begin return query {query}; end" if language == "plpgsql" else query
        volatility = "stable" if language.startswith("inlined") else "volatile"
        name = f"core.probe_{role}_{language.replace(' ', '_')}_{number}"
        owner.run(
            f"create function {name}() returns setof uuid language {language.removeprefix('inlined ')} {volatility} as $body$ {body} $body$"
        )
        owner.run(f"grant execute on function {name}() to {role}")
        for turn in range(8):
            org_id = (two.mine, two.other)[turn % 2]
            with two.db(login).unit(actor_in(org_id)) as tx:
                rows = tx.rows(f"select f as org from {name}() f where exists (select from {name}())")
                assert orgs_of(rows) == {org_id}, f"{table.name} through a {language} function"


@pytest.mark.parametrize("login", LOGINS)
def test_a_view_of_a_migration_shows_a_unit_its_own_rows(two: Two, login: str) -> None:
    owner, role = two.database.owner, work_role(login)
    for number, table in enumerate(readable(two, login)):
        name, column = f"core.view_{role}_{number}", table.tenant_column
        owner.run(f"create view {name} with (security_invoker) as select {column} as org from {table.name}")
        owner.run(f"grant select on {name} to {role}")
        for org_id in (two.mine, two.other, two.mine):
            with two.db(login).unit(actor_in(org_id)) as tx:
                assert orgs_of(tx.rows(f"select org from {name}")) == {org_id}, table.name
                assert orgs_of(tx.rows(f"select org from {name} union all select {column} from {table.name}")) == {
                    org_id
                }


@pytest.mark.parametrize("login", LOGINS)
def test_a_copy_out_of_a_unit_carries_its_own_rows(two: Two, login: str) -> None:
    connection = two.database.connect(login)
    connection.run("begin")
    connection.run(f"set local role {work_role(login)}")
    connection.run("select set_config('app.org_id', :mine, true)", mine=str(two.mine))
    for table in readable(two, login):
        stream = BytesIO()
        connection.run(f"copy {table.name} ({table.tenant_column}) to stdout", stream=stream)
        assert set(stream.getvalue().split()) == {str(two.mine).encode()}, table.name
    connection.run("rollback")


@pytest.mark.parametrize("login", LOGINS)
def test_statistics_show_no_values_of_tenant_tables(two: Two, login: str) -> None:
    """The planner keeps the most common values of every column; the views that show them must not. Source: CVE-2025-8713."""
    two.database.owner.run("analyze")
    connection = two.database.connect(login)
    for role in (login, work_role(login)):
        connection.run(f"set role {role}")
        shown = connection.run(
            "select schemaname || '.' || tablename from pg_stats where schemaname = any(cast(:schemas as text[])) "
            "union all select schemaname || '.' || tablename from pg_stats_ext where schemaname = any(cast(:schemas as text[]))",
            schemas=list(SCHEMAS),
        )
        assert {row[0] for row in shown} & {table.name for table in two.tables} == set()
        assert refused(connection, "select stavalues1 from pg_statistic") == DENIED


@pytest.mark.parametrize("login", LOGINS)
def test_the_statements_of_others_cannot_be_watched(two: Two, login: str) -> None:
    connection, other = two.database.connect(login), two.database.owner
    other.run("select 'a value of somebody else'")
    rows = connection.run(
        "select query from pg_stat_activity where usename <> current_user and datname = current_database()"
    )
    assert rows
    assert {row[0] for row in rows} == {"<insufficient privilege>"}


@pytest.mark.parametrize("login", LOGINS)
def test_an_error_repeats_no_value_of_another_organisation(two: Two, login: str) -> None:
    """A condition that fails on a value names it; it must never be tried on rows that the policy hides."""
    tried = 0
    for table in readable(two, login):
        for column in two.may(work_role(login), "select", table):
            if table.columns[column][0] != "text":
                continue
            sql = f"select count(*) from {table.name} where cast({column} || :mark as integer) > 0"
            with pytest.raises(native.DatabaseError) as caught, two.db(login).unit(actor_in(None)) as tx:
                tx.rows(sql, mark="'x")
            assert state(caught.value) == "22P02"
            assert "uuid" in str(caught.value), f"{table.name}.{column}: tried before the policy: {caught.value}"
            tried += 1
    assert tried > 0
