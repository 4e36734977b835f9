"""What somebody could try who runs SQL as a function's login: past the unit of work, past the role, into another organisation.

Each layer is tried alone: the grants (a right that is not held), the policies (with every right granted), the statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from pg8000 import native

from functions.keys import queries as keys_queries
from shared.data.database import Database
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in, login_roles, work_role
from tests.support.tenants import TenantTable, TwoTenants, insert, new_values, two_tenants

LOGINS = login_roles()
DENIED, RAISES = "42501", "22P02"


@dataclass(frozen=True)
class Two:
    """Two organisations with a row in every tenant table."""

    database: ClonedDatabase
    tables: list[TenantTable]
    mine: UUID
    other: UUID
    my_rows: dict[str, dict[str, Any]]
    other_rows: dict[str, dict[str, Any]]
    databases: dict[str, Database] = field(default_factory=dict)

    def db(self, login: str) -> Database:
        """Return the login's database, with one pooled connection for everything."""
        if login not in self.databases:
            self.databases[login] = self.database.build_database(login.removesuffix("_login"), pool_size=1)
        return self.databases[login]

    def may(self, role: str, privilege: str, table: TenantTable) -> list[str]:
        """Return the columns on which a role holds a privilege."""
        rows = self.database.owner.run(
            "select column_name::text from unnest(cast(:columns as text[])) column_name "
            "where has_column_privilege(:role, :name, column_name, :privilege)",
            columns=list(table.columns),
            role=role,
            name=table.name,
            privilege=privilege,
        )
        return [row[0] for row in rows]

    def may_delete(self, role: str, table: TenantTable) -> bool:
        ((found,),) = self.database.owner.run(
            "select has_table_privilege(:role, :name, 'delete')", role=role, name=table.name
        )
        return bool(found)

    def snapshot(self) -> dict[str, list[Any]]:
        """Return every row of the other organisation."""
        return {
            table.name: self.database.owner.run(
                f"select to_jsonb(t) from {table.name} t where {table.tenant_column} = :other", other=self.other
            )
            for table in self.tables
        }


@pytest.fixture(scope="module")
def tenants(database_server: DatabaseServer) -> Iterator[TwoTenants]:
    with two_tenants(database_server) as found:
        yield found


@pytest.fixture
def two(database_server: DatabaseServer, tenants: TwoTenants) -> Iterator[Two]:
    with database_server.clone(tenants.template) as database:
        yield of(database, tenants)


@pytest.fixture(scope="module")
def read_only(database_server: DatabaseServer, tenants: TwoTenants) -> Iterator[Two]:
    """Two organisations that no test of this module changes."""
    with database_server.clone(tenants.template) as database:
        yield of(database, tenants)


def of(database: ClonedDatabase, found: TwoTenants) -> Two:
    return Two(database, found.tables, found.mine, found.other, found.my_rows, found.other_rows)


def state(error: BaseException) -> str:
    facts = error.args[0] if error.args else {}
    return str(facts.get("C")) if isinstance(facts, dict) else ""


def refused(connection: native.Connection, sql: str, **values: object) -> str:
    """Run a statement that must fail, and return its SQLSTATE."""
    with pytest.raises(native.DatabaseError) as caught:
        connection.run(sql, **values)
    return state(caught.value)


def refused_in_unit(two: Two, login: str, sql: str, **values: object) -> str:
    with pytest.raises(Exception) as caught, two.db(login).unit(actor_in(two.mine)) as tx:
        tx.execute(sql, **values)
    return state(caught.value)


@pytest.mark.parametrize("login", LOGINS)
def test_without_a_unit_of_work_no_tenant_table_can_be_touched(read_only: Two, login: str) -> None:
    connection = read_only.database.connect(login)
    for table in read_only.tables:
        column = table.tenant_column
        for sql in (
            f"select {column} from {table.name}",
            f"select count(*) from {table.name}",
            f"update {table.name} set {column} = {column}",
            f"delete from {table.name}",
            f"insert into {table.name} default values",
            f"truncate {table.name}",
            f"copy {table.name} to stdout",
        ):
            assert refused(connection, sql) == DENIED, f"{login} ran: {sql}"


@pytest.mark.parametrize("login", LOGINS)
def test_setting_the_organisation_without_the_role_gains_nothing(read_only: Two, login: str) -> None:
    connection = read_only.database.connect(login)
    connection.run("select set_config('app.org_id', :org_id, false)", org_id=str(read_only.mine))
    for table in read_only.tables:
        assert refused(connection, f"select {table.tenant_column} from {table.name}") == DENIED, table.name


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_becomes_its_own_work_role_and_nobody_else(read_only: Two, login: str) -> None:
    connection = read_only.database.connect(login)
    others = {
        *LOGINS,
        *map(work_role, LOGINS),
        "core_lookup",
        "core_key_use",
        "core_purge",
        "core_session_use",
        "driftwise_owner",
        "postgres",
        "pg_read_all_data",
    }
    for role in others - {login, work_role(login)}:
        for sql in (f"set role {role}", f"set local role {role}", f"set session authorization {role}"):
            assert refused(connection, sql) in {DENIED, "22023"}, f"{login} ran: {sql}"
        assert refused(connection, f"grant {role} to {login}") in {DENIED, "42704"}
    connection.run(f"set role {work_role(login)}")
    for role in others - {login, work_role(login)}:
        assert refused(connection, f"set role {role}") in {DENIED, "22023"}, f"from {work_role(login)}: {role}"


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_cannot_make_rights_or_objects(read_only: Two, login: str) -> None:
    connection = read_only.database.connect(login)
    connection.run(f"set role {work_role(login)}")
    for sql in (
        "create table core.mine (id integer)",
        "create table public.mine (id integer)",
        "create schema mine",
        "create role mine",
        f"alter role {login} bypassrls",
        "alter table core.orgs disable row level security",
        "alter table core.orgs no force row level security",
        "drop policy orgs_floor on core.orgs",
        "create policy mine on core.orgs using (true)",
        "create function core.mine() returns integer language sql as 'select 1'",
        "alter function core.find_api_key(text) reset search_path",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'true'",
        "set session_replication_role = replica",
    ):
        assert refused(connection, sql) == DENIED, f"{login} ran: {sql}"


def test_switching_row_security_off_hides_rows_behind_an_error(read_only: Two) -> None:
    with pytest.raises(Exception) as caught, read_only.db("auth_login").unit(actor_in(read_only.mine)) as tx:
        tx.execute("set local row_security = off")
        tx.rows("select id from core.orgs")
    assert state(caught.value) == DENIED


@pytest.mark.parametrize("login", LOGINS)
def test_a_unit_sees_its_own_rows_only_even_without_a_condition(read_only: Two, login: str) -> None:
    looked_at = 0
    for table in read_only.tables:
        if not read_only.may(work_role(login), "select", table):
            assert refused_in_unit(read_only, login, f"select from {table.name}") == DENIED, table.name
            continue
        column = table.tenant_column
        with read_only.db(login).unit(actor_in(read_only.mine)) as tx:
            seen = {row["org"] for row in tx.rows(f"select {column} as org from {table.name}")}
            assert seen == {read_only.mine}, f"{login} sees rows of {seen} in {table.name}"
            asked = tx.rows(f"select {column} as org from {table.name} where {column} = :other", other=read_only.other)
            assert asked == [], f"{login} sees another organisation's rows of {table.name} when it asks for them"
        looked_at += 1
    assert looked_at > 3


@pytest.mark.parametrize("login", LOGINS)
def test_a_unit_changes_nothing_of_another_organisation(two: Two, login: str) -> None:
    before = two.snapshot()
    for table in two.tables:
        column = table.tenant_column
        for changed in two.may(work_role(login), "update", table):
            with two.db(login).unit(actor_in(two.mine)) as tx:
                sql = f"update {table.name} set {changed} = {changed}"
                touched = {row["org"] for row in tx.rows(f"{sql} returning {column} as org")}
                assert touched <= {two.mine}, f"{login} updates {table.name} of {touched}"
                assert tx.rows(f"{sql} where {column} = :other returning {column}", other=two.other) == []
        assert refused_in_unit(two, login, f"update {table.name} set {column} = :other", other=two.other) == DENIED
    for table in reversed(two.tables):
        if two.may_delete(work_role(login), table):
            column = table.tenant_column
            with two.db(login).unit(actor_in(two.mine)) as tx:
                sql = f"delete from {table.name}"
                assert tx.rows(f"{sql} where {column} = :other returning {column}", other=two.other) == []
                assert {row["org"] for row in tx.rows(f"{sql} returning {column} as org")} <= {two.mine}
    assert two.snapshot() == before


@pytest.mark.parametrize("login", LOGINS)
def test_a_unit_cannot_name_the_organisation_of_a_row(two: Two, login: str) -> None:
    before = two.snapshot()
    for table in two.tables:
        values = new_values(table, two.other, two.other_rows)
        sql, parameters = insert(table, values)
        assert refused_in_unit(two, login, sql, **parameters) == DENIED, table.name
    assert two.snapshot() == before


@pytest.mark.parametrize("login", LOGINS)
def test_with_every_right_granted_the_policies_alone_still_hold(two: Two, login: str) -> None:
    """The second layer without the third: as if a migration had granted too much."""
    role = work_role(login)
    under_policy = {row[0] for row in two.database.owner.run(
        "select schemaname || '.' || tablename from pg_policies where :role = any(roles)", role=role
    )}  # fmt: skip
    before = two.snapshot()
    for table in two.tables:
        two.database.owner.run(f"grant usage on schema {table.name.split('.')[0]} to {role}")
        two.database.owner.run(f"grant select, insert, update, delete on {table.name} to {role}")
        column = table.tenant_column
        values = new_values(table, two.other, two.other_rows)
        sql, parameters = insert(table, values)
        assert refused_in_unit(two, login, sql, **parameters) == DENIED, table.name
        if table.name not in under_policy:
            with two.db(login).unit(actor_in(two.mine)) as tx:
                assert tx.rows(f"select from {table.name}") == [], f"{table.name}: no policy, and yet rows"
            continue
        sql = f"update {table.name} set {column} = :other"
        assert refused_in_unit(two, login, sql, other=two.other) == DENIED, table.name
        with two.db(login).unit(actor_in(two.mine)) as tx:
            assert (
                tx.rows(f"delete from {table.name} where {column} = :other returning {column}", other=two.other) == []
            )
    assert two.snapshot() == before


@pytest.mark.parametrize("login", LOGINS)
def test_a_unit_without_an_organisation_fails_loudly(read_only: Two, login: str) -> None:
    """Whether the connection is fresh or has served an organisation before: an error, never an empty answer."""
    db = read_only.database.build_database(login.removesuffix("_login"), pool_size=1)
    for is_fresh in (True, False):
        for table in read_only.tables:
            columns = read_only.may(work_role(login), "select", table)
            if not columns:
                continue
            with pytest.raises(Exception) as caught, db.unit(actor_in(None)) as tx:
                tx.rows(f"select {columns[0]} from {table.name}")
            assert state(caught.value) == RAISES, f"{table.name}, fresh={is_fresh}: {caught.value}"
        with db.unit(actor_in(read_only.mine)):
            pass


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_after_a_unit_its_connection_can_do_nothing(read_only: Two, ending: str) -> None:
    db = read_only.db("keys_login")
    if ending == "commit":
        with db.unit(actor_in(read_only.mine)) as tx:
            tx.rows("select id from core.api_keys where org_id = :org_id")
    else:
        with pytest.raises(ZeroDivisionError), db.unit(actor_in(read_only.mine)):
            _ = 1 / 0
    with pytest.raises(native.DatabaseError) as caught:
        db.lookup("select id from core.api_keys")
    assert state(caught.value) == DENIED
    with pytest.raises(native.DatabaseError) as caught:  # and with the role, by mistake, but no organisation
        db.lookup("select set_config('role', 'keys_work', false)")
        db.lookup("select id from core.api_keys")
    assert state(caught.value) == RAISES


def test_an_aborted_unit_leaves_nothing_to_the_next_one(two: Two) -> None:
    db = two.db("keys_login")
    for _ in range(3):
        with pytest.raises(native.DatabaseError), db.unit(actor_in(two.other)) as tx:
            tx.rows("select 1 / 0")
        with db.unit(actor_in(two.mine)) as tx:
            assert {row["org_id"] for row in tx.rows("select org_id from core.api_keys")} == {two.mine}


def test_a_savepoint_gives_the_organisation_and_the_role_back(read_only: Two) -> None:
    with read_only.db("keys_login").unit(actor_in(read_only.mine)) as tx:
        tx.execute("savepoint here")
        tx.execute("select set_config('app.org_id', :other, true)", other=str(read_only.other))
        tx.execute("reset role")
        tx.execute("rollback to savepoint here")
        assert tx.row("select current_user as who, current_setting('app.org_id') as org") == {
            "who": "keys_work",
            "org": str(read_only.mine),
        }
        assert {row["org_id"] for row in tx.rows("select org_id from core.api_keys")} == {read_only.mine}


def test_leaving_the_work_role_inside_a_unit_gains_nothing(read_only: Two) -> None:
    with pytest.raises(native.DatabaseError) as caught, read_only.db("keys_login").unit(actor_in(read_only.mine)) as tx:
        tx.execute("reset role")
        tx.rows("select org_id from core.api_keys")
    assert state(caught.value) == DENIED


@pytest.mark.parametrize("plan", ["auto", "force_generic_plan", "force_custom_plan"])
def test_a_prepared_statement_serves_each_organisation_its_own_rows(two: Two, plan: str) -> None:
    """One connection, one statement prepared once, organisations in turn, past the point where a plan is kept."""
    database = two.database
    database.owner.run(f"alter role keys_login in database {database.name} set plan_cache_mode = {plan}")
    db = two.db("keys_login")
    for turn in range(16):
        org_id = (two.mine, two.other)[turn % 2]
        with db.unit(actor_in(org_id)) as tx:
            assert {row["org_id"] for row in tx.rows("select org_id from core.api_keys")} == {org_id}
            found = keys_queries.list_keys(tx, after_id=None, most=50, skipped=0)
            wanted = two.my_rows if org_id == two.mine else two.other_rows
            assert [row["id"] for row in found] == [wanted["core.api_keys"]["id"]]
    kept = db.lookup(
        "select count(*) as kept from pg_prepared_statements where statement ~ '^\\s*select .* core[.]api_keys'"
    )
    assert kept == [{"kept": 2}], "the statements were not the same prepared ones"


def test_a_foreign_key_is_no_window_into_another_organisation(two: Two) -> None:
    """A parent of another organisation and one that does not exist get the same answer."""
    tried = 0
    for login, table in product(("scan_login", "keys_login"), two.tables):
        may_insert = set(two.may(work_role(login), "insert", table))
        for target, own, theirs in table.foreign_keys:
            named = dict(zip(own, theirs, strict=True))
            columns = [name for name in own if name != table.tenant_column]
            if not columns or target not in two.other_rows or target == "core.users" or columns[0] not in may_insert:
                continue
            values = new_values(table, two.mine, two.my_rows)
            values = {name: value for name, value in values.items() if name in may_insert}
            answers = set()
            foreign = {name: two.other_rows[target][named[name]] for name in columns}
            for parent in (foreign, {**foreign, columns[0]: uuid4()}):
                sql, parameters = insert(table, {**values, **parent})
                answers.add(refused_in_unit(two, login, sql, **parameters))
            assert answers == {"23503"}, f"{table.name} -> {target}: {answers}"
            tried += 1
    assert tried > 3


@pytest.mark.parametrize("login", LOGINS)
def test_lookups_are_for_logins_that_need_them_and_never_for_work_roles(read_only: Two, login: str) -> None:
    calls = {
        "core.list_orgs_of_user(cast(null as uuid), cast(null as uuid), cast(null as uuid), 1)": {"auth_login"},
        "core.list_orgs_with_outbox(0, 100)": {"webhook_login"},
        "core.list_changed_audit_heads(cast(null as uuid), 1)": {"auth_login"},
        "scan.list_orgs_with_active_scans(100)": {"scan_login"},
        "core.find_api_key('x')": set(LOGINS),
        "core.find_reported_api_keys(array['x'])": {"keys_login"},
        "core.note_api_key_use('x', '', '', 1)": set(LOGINS),
        "core.find_session(cast(null as uuid), cast(null as uuid), cast(null as uuid))": set(LOGINS),
        "core.find_browser_session('', cast(null as uuid))": set(LOGINS),
        "core.find_federated_principal('x', 'x', cast(null as uuid))": set(LOGINS),
        "core.note_session_use('')": set(LOGINS),
        "core.find_invitation('')": {"auth_login"},
        "core.find_sso_connection(cast(null as uuid))": {"auth_login"},
        "core.find_sso_domain('x')": {"auth_login"},
        "core.list_stale_sso_connections(1, 1)": {"auth_login"},
    }
    connection = read_only.database.connect(login)
    for call, callers in calls.items():
        if login in callers:
            connection.run(f"select from {call}")
        else:
            assert refused(connection, f"select from {call}") == DENIED, f"{login} called {call}"
    connection.run(f"set role {work_role(login)}")
    for call in calls:
        assert refused(connection, f"select from {call}") == DENIED, f"{work_role(login)} called {call}"


def test_a_lookup_cannot_be_redirected_by_the_callers_search_path(read_only: Two) -> None:
    connection = read_only.database.connect("keys_login")
    wanted = read_only.my_rows["core.api_keys"]["public_id"]
    connection.run("set search_path = pg_temp, core, public")
    connection.run("create temporary table api_keys (org_id uuid, id uuid, public_id text)")
    rows = connection.run("select org_id from core.find_api_key(:wanted)", wanted=wanted)
    assert rows == [[read_only.mine]]


def test_a_key_of_a_deleted_organisation_is_not_found(two: Two) -> None:
    connection = two.database.connect("keys_login")
    wanted = two.my_rows["core.api_keys"]["public_id"]
    assert len(connection.run("select org_id from core.find_api_key(:wanted)", wanted=wanted)) == 1
    two.database.owner.run("update core.orgs set deleted_at = now() where id = :mine", mine=two.mine)
    assert connection.run("select org_id from core.find_api_key(:wanted)", wanted=wanted) == []
