"""The lint of SQL, on planted defects: each must turn it red, and what is right must leave it quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.lint.tenancy_sql import ROOT, Statement, Tables, check, check_tree, read_tables, statements_of

TABLES = Tables(
    frozenset({"core.orgs", "core.api_keys", "core.members", "core.users"}),
    {"core.orgs": "id", "core.api_keys": "org_id", "core.members": "org_id"},
)


def problems(sql: str) -> list[str]:
    return list(check(Statement("functions/keys/queries.py", 7, sql), TABLES))


@pytest.mark.parametrize(
    "sql",
    [
        "select id from core.api_keys where org_id = :org_id",
        "select id from core.api_keys where org_id = :org_id and (id = :id or name = :name) for update",
        "select k.id from core.api_keys k where :org_id = k.org_id order by k.id limit :most",
        "select k.id from core.api_keys k join core.members m on m.org_id = :org_id and m.user_id = k.created_by where k.org_id = :org_id",
        "select k.id from core.api_keys k left join core.members m on m.user_id = k.created_by and m.org_id = :org_id where k.org_id = :org_id",
        "select k.id from core.api_keys k join core.users u on u.id = k.created_by where k.org_id = :org_id",
        "select count(*) from core.api_keys where org_id = :org_id",
        "select name from core.orgs where id = :org_id",
        "select email from core.users where id = :user_id",
        "select org_id from core.find_api_key(:public_id)",
        "select pg_advisory_xact_lock(hashtextextended('Keys:' || cast(:org_id as text), 0))",
        "with live as (select id from core.api_keys where org_id = :org_id) select id from live",
        "update core.api_keys set name = :name where org_id = :org_id and id = :id returning id",
        "update core.api_keys as k set name = m.role from core.members m where k.org_id = :org_id and m.org_id = :org_id",
        "delete from core.api_keys where org_id = :org_id and id = any(cast(:ids as uuid[]))",
        "insert into core.api_keys (name) values (:name) returning id",
        "insert into core.api_keys (name) values (:name) on conflict (org_id, id) do update set name = excluded.name",
        "insert into core.api_keys (name) values (:name) on conflict (org_id, id) where revoked_at is null do nothing",
        "insert into core.orgs (name) values (:name) returning id",
        "insert into core.users (email) values (:email) on conflict (lower(email)) do update set name = excluded.name",
        "insert into core.api_keys (name) select m.role from core.members m where m.org_id = :org_id",
    ],
)
def test_a_statement_that_is_bound_to_its_organisation_passes(sql: str) -> None:
    assert problems(sql) == []


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("select id from core.api_keys", "api_keys.org_id = :org_id is missing"),
        ("select id from core.api_keys where id = :id", "api_keys.org_id = :org_id is missing"),
        ("select id from core.api_keys where org_id = :org", "api_keys.org_id = :org_id is missing"),
        ("select id from core.api_keys where org_id <> :org_id", "api_keys.org_id = :org_id is missing"),
        ("select id from core.api_keys where org_id = :org_id or id = :id", "api_keys.org_id = :org_id is missing"),
        ("select id from core.api_keys where not (org_id = :org_id)", "api_keys.org_id = :org_id is missing"),
        ("select id from core.api_keys where coalesce(org_id = :org_id, true)", "api_keys.org_id = :org_id is missing"),
        ("select org_id = :org_id from core.api_keys", "api_keys.org_id = :org_id is missing"),
        ("select id from core.orgs where org_id = :org_id", "orgs.id = :org_id is missing"),
        (
            "select k.id from core.api_keys k join core.members m on m.org_id = k.org_id where k.org_id = :org_id",
            "m.org_id = :org_id is missing for core.members",
        ),
        (
            "select k.id from core.api_keys k, core.members m where org_id = :org_id",
            "k.org_id = :org_id is missing for core.api_keys",
        ),
        (
            "select k.id from core.api_keys k left join core.members m on m.org_id = :org_id and k.org_id = :org_id",
            "k.org_id = :org_id is missing for core.api_keys",
        ),
        (
            "select id from core.api_keys where org_id = :org_id and created_by in (select user_id from core.members)",
            "members.org_id = :org_id is missing",
        ),
        (
            "select id from core.api_keys where org_id = :org_id union select user_id from core.members",
            "members.org_id = :org_id is missing",
        ),
        ("with live as (select id from core.api_keys) select id from live", "api_keys.org_id = :org_id is missing"),
        ("update core.api_keys set name = :name where id = :id", "api_keys.org_id = :org_id is missing"),
        (
            "update core.api_keys as k set name = m.role from core.members m where k.org_id = :org_id and m.user_id = k.id",
            "m.org_id = :org_id is missing",
        ),
        ("update core.users set name = (select name from core.orgs limit 1)", "orgs.id = :org_id is missing"),
        ("delete from core.api_keys", "api_keys.org_id = :org_id is missing"),
        (
            "delete from core.api_keys using core.members m where api_keys.org_id = :org_id",
            "m.org_id = :org_id is missing",
        ),
        ("insert into core.api_keys (org_id, name) values (:org_id, :name)", "is filled in by the unit of work"),
        ("insert into core.orgs (id, name) values (:org_id, :name)", "is filled in by the unit of work"),
        ("insert into core.api_keys values (:org_id, :name)", "lists its columns"),
        ("insert into core.api_keys (name) select role from core.members", "members.org_id = :org_id is missing"),
        (
            "insert into core.api_keys (name) values (:name) on conflict (public_id) do update set name = :name",
            "is keyed by org_id",
        ),
        ("insert into core.api_keys (name) values (:name) on conflict do nothing", "is keyed by org_id"),
        ("select * from core.users", "never *"),
        ("select u.* from core.users u", "never *"),
        ("delete from core.api_keys where org_id = :org_id returning *", "never *"),
        ("SELECT id FROM core.users", "lower case"),
        ("select id from core.Users", "lower case"),
        ("select id from api_keys where org_id = :org_id", "no table of the migrations"),
        ("select id from core.nothing", "no table of the migrations"),
        ("select id from core.users; delete from core.users", "one statement"),
        ("select id frm core.users where", "does not parse"),
        ("truncate core.api_keys", "cannot be checked"),
    ],
)
def test_a_statement_that_could_reach_another_organisation_is_refused(sql: str, problem: str) -> None:
    found = problems(sql)
    assert any(problem in line for line in found), found
    assert all(line.startswith("functions/keys/queries.py:7: ") for line in found)


def test_statements_are_put_together_from_constants_of_their_file() -> None:
    source = '_A = "id, name"\n_B = f"select {_A} from core.users"\n_C = f"{_B} where id = :id"\n"a docstring: select this"\n'
    assert [item.sql for item in statements_of(source, "q.py")] == [
        "select id, name from core.users",
        "select id, name from core.users where id = :id",
    ]


def test_a_statement_put_together_at_run_time_is_refused() -> None:
    (statement,) = statements_of('def f(tx, name):\n    return tx.rows(f"select {name} from core.users")\n', "q.py")
    assert list(check(statement, TABLES)) == ["q.py:2: text is put together from constants of the same file only"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "infra/migrations/0001_a.sql": "create table core.things (org_id uuid not null, id uuid, primary key (org_id, id));",
        "functions/keys/queries.py": '_GET = "select id from core.things where org_id = :org_id"\n',
        "functions/keys/handlers.py": '"""Handlers select things from the database."""\nTEXT = "Select a plan from the list"\n',
        "shared/data/statements.py": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_right_tree_is_quiet(tree: Path) -> None:
    assert list(check_tree(tree)) == []


def test_a_new_tenant_table_joins_by_itself(tree: Path) -> None:
    (tree / "infra/migrations/0002_b.sql").write_text("create table scan.more (org_id uuid not null, id uuid);")
    (tree / "functions/keys/queries.py").write_text('_GET = "select id from scan.more"\n')
    assert list(check_tree(tree)) == ["functions/keys/queries.py:1: more.org_id = :org_id is missing for scan.more"]


@pytest.mark.parametrize(
    "line",
    [
        'tx.rows("select id from core.things")',
        'tx.rows(f"select {x} from core.things")',
        'tx.execute("""\n  insert into core.things (id) values (:id)\n""")',
        'tx.execute("UPDATE core.things SET id = null")',
        'tx.execute("delete from core.things")',
        'tx.execute("set local role keys_work")',
        "tx.execute(\"select set_config('app.org_id', 'x', true)\")",
        'tx.execute("rollback; begin")',
        'tx.execute("truncate core.things")',
    ],
)
@pytest.mark.parametrize("file", ["functions/keys/handlers.py", "shared/http/paging.py"])
def test_sql_outside_the_queries_is_refused(tree: Path, file: str, line: str) -> None:
    path = tree / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"def f(tx, x):\n    {line}\n")
    assert [found.partition(": ")[2] for found in check_tree(tree)] == ["SQL stands in queries only"]


def test_where_sql_is_allowed_outside_it_names_no_table(tree: Path) -> None:
    path = tree / "shared/security/authentication.py"
    path.parent.mkdir(parents=True)
    path.write_text('A = "select id from core.find_api_key(:public_id)"\n')
    assert list(check_tree(tree)) == []
    path.write_text('A = "select id from core.things where org_id = :org_id"\n')
    assert "it names no table" in next(check_tree(tree))


def test_the_tenant_tables_of_the_suite_are_read_from_its_migrations() -> None:
    tables = read_tables(ROOT / "infra" / "migrations")
    assert {"core.orgs", "core.members", "core.api_keys", "scan.drift_items"} <= set(tables.tenant)
    assert tables.known - set(tables.tenant) == {
        "core.users", "core.user_identities", "core.sign_ins", "core.platform_audit_log", "core.platform_audit_head",
        "core.sealed_columns", "core.reseal_runs",
    }  # fmt: skip


def test_this_tree_is_quiet() -> None:
    assert list(check_tree(ROOT)) == []
