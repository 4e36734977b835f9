"""Tenancy, over the catalogue: every table, role, policy, grant, function and view that the migrations make.

Nothing is listed by hand but exceptions, each with its reason: a new table or role joins by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pg8000 import native

from infra.lint.rls import SCHEMAS
from infra.suite import load_suite
from tests.support.database import ClonedDatabase, DatabaseServer

NOT_TENANT_TABLES = {
    "core.users": "a person belongs to any number of organisations",
    "core.user_identities": "belongs to a person",
    "core.sign_ins": "exists before anyone knows who signs in",
    "core.saml_requests": "exists before anyone knows who signs in",
    "core.saml_replays": "belongs to an identity provider, and is asked before anyone is known",
    "core.sessions": "belongs to a person, who may be in any number of organisations",
    "core.refresh_tokens": "belongs to a session",
    "core.device_grants": "exists before anyone knows who signs in",
    "core.logout_tokens": "belongs to an identity provider of the whole platform",
    "core.allowed_domains": "belongs to the platform",
    "core.platform_bootstrap": "belongs to the platform",
    "core.platform_audit_log": "records what belongs to no organisation",
    "core.platform_audit_head": "the end of the platform's audit chain",
    "core.sealed_columns": "names columns",
    "core.reseal_runs": "a run goes through the rows of all organisations",
}
# Rows that a deletion of their organisation must not take along: table to the table that its `org_id` leads to.
KEPT = {
    "core.audit_heads": "core.orgs",  # who deletes an organisation must decide what becomes of its history
    "core.audit_log": "core.audit_heads",  # whose row the writer holds already, so that it waits for no second lock
}
# What runs behind a statement: nothing but refusals of what no grant can keep the owner from.
TRIGGERS = {
    "core.audit_log": {"core.refuse_change": {"delete or update", "truncate"}},
    "core.platform_audit_log": {"core.refuse_change": {"delete or update", "truncate"}},
    "core.audit_heads": {"core.refuse_change": {"delete", "truncate"}, "core.refuse_going_back": {"update"}},
    "core.platform_audit_head": {"core.refuse_change": {"delete", "truncate"}, "core.refuse_going_back": {"update"}},
    "scan.state_resources": {"scan.fill_state_account": {"insert"}},
}
LOOKUP_ROLE = "core_lookup"  # owns the functions that read before the organisation is known
KEY_USE_ROLE = "core_key_use"  # owns the one function that writes before it is known
SESSION_USE_ROLE = "core_session_use"  # the same for sessions of browsers
PURGE_ROLE = "core_purge"  # owns the one function that deletes what an organisation left
DIRECTORY_ROLE = "core_directory"  # owns what an organisation's directory may do to people and their sessions
WRITERS = {
    "core.note_api_key_use": KEY_USE_ROLE,
    "core.note_session_use": SESSION_USE_ROLE,
    "core.purge_org_rows": PURGE_ROLE,
    "scim.note_token_use": DIRECTORY_ROLE,
    "scim.hold_org": DIRECTORY_ROLE,
    "scim.count_other_owners": DIRECTORY_ROLE,
    "scim.admit_person": DIRECTORY_ROLE,
    "scim.list_proven_domains": DIRECTORY_ROLE,
    "scim.find_members": DIRECTORY_ROLE,
    "scim.end_sessions": DIRECTORY_ROLE,
}
# Called within a unit of work, by its work role: they act for the organisation of `app.org_id`, and fail without one.
IN_UNITS = {
    "scim.hold_org": "scim_work",
    "scim.count_other_owners": "scim_work",
    "scim.admit_person": "scim_work",
    "scim.list_proven_domains": "scim_work",
    "scim.find_members": "scim_work",
    "scim.end_sessions": "scim_work",
}
DEFINERS = (LOOKUP_ROLE, *dict.fromkeys(WRITERS.values()))

_WORK_ROLES = tuple(item.work for item in load_suite().roles())
_LOGIN_ROLES = tuple(item.login for item in load_suite().roles())

_TABLES = """
select n.nspname || '.' || c.relname as name, c.oid, c.relrowsecurity as is_enabled, c.relforcerowsecurity as is_forced,
  obj_description(c.oid, 'pg_class') as comment, c.relowner::regrole::text as owner,
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped) as has_org_id
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(cast(:schemas as text[])) and c.relkind in ('r', 'p', 'f', 'm')
order by 1
"""
_POLICIES = """
select p.polname::text as name, p.polpermissive as is_permissive, p.polcmd::text as command,
  pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check,
  array(select coalesce(r.rolname::text, 'public') from unnest(p.polroles) x left join pg_roles r on r.oid = x) as roles
from pg_policy p
where p.polrelid = cast(:oid as oid)
"""
_TABLE_GRANTS = """
select coalesce(r.rolname::text, 'public') as grantee, x.privilege_type as privilege, null as column_name
from pg_class c
cross join aclexplode(c.relacl) x
left join pg_roles r on r.oid = x.grantee
where c.oid = cast(:oid as oid) and x.grantee <> c.relowner
union all
select coalesce(r.rolname::text, 'public'), x.privilege_type, a.attname::text
from pg_attribute a
join pg_class c on c.oid = a.attrelid
cross join aclexplode(a.attacl) x
left join pg_roles r on r.oid = x.grantee
where a.attrelid = cast(:oid as oid) and not a.attisdropped and x.grantee <> c.relowner
"""
_INDEXES = """
select array(select pg_get_indexdef(i.indexrelid, k, true) from generate_series(1, i.indnkeyatts) k) as columns,
  i.indisunique as is_unique, i.indpred is not null as is_partial, i.indexrelid::regclass::text as name
from pg_index i
where i.indrelid = cast(:oid as oid) and i.indisvalid
"""
_FOREIGN_KEYS = """
select k.conname::text as name, k.confrelid, n.nspname || '.' || c.relname as target, k.confdeltype::text as on_delete,
  array(select a.attname::text from unnest(k.conkey) with ordinality u (number, place)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number order by u.place) as columns,
  array(select a.attname::text from unnest(k.confkey) with ordinality u (number, place)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number order by u.place) as target_columns,
  array(select a.attname::text from unnest(k.confdelsetcols) u (number)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number) as set_columns
from pg_constraint k
join pg_class c on c.oid = k.confrelid
join pg_namespace n on n.oid = c.relnamespace
where k.contype = 'f' and k.conrelid = cast(:oid as oid)
"""
_ROLES = """
select rolname::text as name, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
  array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid) as groups
from pg_roles r
where rolname !~ '^pg_' and not (rolsuper and rolname = current_user)
"""
_FUNCTIONS = """
select n.nspname || '.' || p.proname as name, p.prosecdef as is_definer, p.proowner::regrole::text as owner,
  coalesce(p.proconfig, '{}') as settings, obj_description(p.oid, 'pg_proc') as comment, p.provolatile::text as volatility,
  array(select coalesce(r.rolname::text, 'public') from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
        left join pg_roles r on r.oid = x.grantee where x.grantee <> p.proowner) as callers
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname not in ('pg_catalog', 'information_schema')
"""


def ask(connection: native.Connection, sql: str, **values: object) -> list[dict[str, Any]]:
    rows = connection.run(sql, **values)
    names = [column["name"] for column in connection.columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


@dataclass(frozen=True)
class Table:
    connection: native.Connection
    name: str
    oid: int
    facts: dict[str, Any]

    @property
    def tenant_column(self) -> str | None:
        if self.name == "core.orgs":
            return "id"
        return "org_id" if self.facts["has_org_id"] else None

    def ask(self, sql: str) -> list[dict[str, Any]]:
        return ask(self.connection, sql, oid=self.oid)

    def grants(self) -> list[dict[str, Any]]:
        return self.ask(_TABLE_GRANTS)


@pytest.fixture(scope="module")
def catalogue(database_server: DatabaseServer) -> Iterator[ClonedDatabase]:
    with database_server.clone() as database:
        yield database


@pytest.fixture(scope="module")
def tables(catalogue: ClonedDatabase) -> list[Table]:
    rows = ask(catalogue.owner, _TABLES, schemas=list(SCHEMAS))
    found = [Table(catalogue.owner, row["name"], row["oid"], row) for row in rows]
    assert len(found) > 10, "the catalogue query finds no tables"
    return found


@pytest.fixture(scope="module")
def tenant_tables(tables: list[Table]) -> list[Table]:
    return [table for table in tables if table.tenant_column]


@pytest.fixture(scope="module")
def roles(catalogue: ClonedDatabase) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in ask(catalogue.owner, _ROLES)}


def raising(column: str) -> str:
    """The one form of predicate, as PostgreSQL prints it: null or '' outside a unit of work, and '' raises."""
    return f"({column} = ( SELECT (current_setting('app.org_id'::text, true))::uuid AS current_setting))"


def refuse(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


def test_every_table_is_a_tenants_or_has_a_reason_not_to_be(tables: list[Table]) -> None:
    others = {table.name for table in tables if not table.tenant_column}
    assert others == set(NOT_TENANT_TABLES)


def test_no_table_lies_outside_the_schemas_that_are_looked_at(catalogue: ClonedDatabase) -> None:
    rows = catalogue.owner.run(
        "select schemaname || '.' || tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        " and not (schemaname = any(cast(:schemas as text[])))",
        schemas=list(SCHEMAS),
    )
    assert rows == [["public.schema_migrations"]]
    ((schemas,),) = catalogue.owner.run("select array_agg(nspname::text) from pg_namespace where nspname !~ '^pg_'")
    assert set(schemas) == {*SCHEMAS, "public", "information_schema"}


def test_row_level_security_is_enabled_and_forced(tenant_tables: list[Table]) -> None:
    refuse([
        f"{table.name}: row-level security is not both enabled and forced"
        for table in tenant_tables
        if not (table.facts["is_enabled"] and table.facts["is_forced"])
    ])  # fmt: skip


def test_whoever_holds_a_grant_stands_under_a_policy_and_a_floor(tenant_tables: list[Table]) -> None:
    problems: list[str] = []
    for table in tenant_tables:
        holders = {grant["grantee"] for grant in table.grants()} - set(DEFINERS)
        policies = table.ask(_POLICIES)
        for is_permissive, word in ((True, "permissive policy"), (False, "restrictive floor")):
            covered = {
                role
                for policy in policies
                if policy["is_permissive"] == is_permissive and policy["command"] == "*"
                for role in policy["roles"]
                if role not in DEFINERS
            }
            problems += [f"{table.name}: no {word} for {role}, which holds a grant" for role in holders - covered]
            problems += [f"{table.name}: {word} for {role}, which holds no grant" for role in covered - holders]
    refuse(problems)


def test_every_policy_says_the_same_for_reading_and_writing_and_fails_loudly(tenant_tables: list[Table]) -> None:
    problems: list[str] = []
    for table in tenant_tables:
        wanted = raising(table.tenant_column or "")
        for policy in table.ask(_POLICIES):
            if set(policy["roles"]) <= set(DEFINERS):
                continue  # see the next tests
            problems += [
                f"{table.name}: {part} of {policy['name']} is {policy[part]}"
                for part in ("using", "check")
                if policy[part] != wanted
            ]
            problems += [
                f"{table.name}: {policy['name']} is for {role}" for role in policy["roles"] if role not in _WORK_ROLES
            ]
    refuse(problems)


def test_the_lookup_role_reads_named_columns_and_nothing_more(tables: list[Table]) -> None:
    problems: list[str] = []
    for table in tables:
        mine = [grant for grant in table.grants() if grant["grantee"] == LOOKUP_ROLE]
        problems += [
            f"{table.name}: {LOOKUP_ROLE} may {grant['privilege']}" for grant in mine if grant["privilege"] != "SELECT"
        ]
        problems += [f"{table.name}: {LOOKUP_ROLE} reads all columns" for grant in mine if grant["column_name"] is None]
        for policy in table.ask(_POLICIES):
            if LOOKUP_ROLE in policy["roles"] and (
                policy["roles"] != [LOOKUP_ROLE] or policy["command"] != "r" or not mine
            ):
                problems.append(f"{table.name}: {policy['name']} is for more than reading by {LOOKUP_ROLE}")
    refuse(problems)


def test_noting_the_use_of_a_key_may_change_three_columns_of_one_table(tables: list[Table]) -> None:
    grants = [(table.name, grant) for table in tables for grant in table.grants() if grant["grantee"] == KEY_USE_ROLE]
    assert {name for name, _ in grants} == {"core.api_keys"}
    assert {grant["privilege"] for _, grant in grants} == {"SELECT", "UPDATE"}
    assert None not in {grant["column_name"] for _, grant in grants}, "a grant on every column"
    written = {grant["column_name"] for _, grant in grants if grant["privilege"] == "UPDATE"}
    assert written == {"secret_hash", "pepper_version", "last_used_at"}
    policies = [policy for table in tables for policy in table.ask(_POLICIES) if KEY_USE_ROLE in policy["roles"]]
    assert {(policy["command"], *policy["roles"]) for policy in policies} == {("r", KEY_USE_ROLE), ("w", KEY_USE_ROLE)}


def test_noting_the_use_of_a_session_may_change_one_column_of_one_table(tables: list[Table]) -> None:
    found = {
        (table.name, grant["privilege"], grant["column_name"])
        for table in tables
        for grant in table.grants()
        if grant["grantee"] == SESSION_USE_ROLE
    }
    read = {("core.sessions", "SELECT", name) for name in ("secret_hash", "last_seen_at", "revoked_at")}
    assert found == {("core.sessions", "UPDATE", "last_seen_at"), *read}


def test_a_directory_changes_no_person_and_of_a_session_only_its_end(tables: list[Table]) -> None:
    found = {
        (table.name, grant["privilege"], grant["column_name"])
        for table in tables
        for grant in table.grants()
        if grant["grantee"] == DIRECTORY_ROLE and grant["privilege"] != "SELECT"
    }
    used = {("scim.tokens", "UPDATE", name) for name in ("secret_hash", "pepper_version", "last_used_at")}
    made = {("core.users", "INSERT", name) for name in ("email", "name")}
    # an organisation's row is held, which takes the right to update it; its policy lets no update through
    assert found == {("core.sessions", "UPDATE", "revoked_at"), ("core.orgs", "UPDATE", "name"), *used, *made}
    (orgs,) = [table for table in tables if table.name == "core.orgs"]
    (hold,) = [item for item in orgs.ask(_POLICIES) if DIRECTORY_ROLE in item["roles"] and item["command"] == "w"]
    assert (hold["using"], hold["check"]) == (raising("id"), "false")
    reached = {table.name for table in tables for grant in table.grants() if grant["grantee"] == DIRECTORY_ROLE}
    assert reached == {"core.orgs", "core.sso_domains", "core.members", "core.users", "core.sessions", "scim.tokens"}
    assert not [
        (table.name, grant)
        for table in tables
        if table.name in {"core.users", "core.sessions"}
        for grant in table.grants()
        if grant["grantee"] == "scim_work"
    ], "the function itself reaches people and sessions by those functions alone"


def test_purging_reaches_all_rows_of_organisations_that_were_given_up_and_no_others(tables: list[Table]) -> None:
    """A new tenant table must say so, or a deleted organisation would leave its rows behind."""
    problems: list[str] = []
    given_up = "(org_id IN ( SELECT orgs.id\n   FROM core.orgs\n  WHERE (orgs.purged_at IS NOT NULL)))"
    for table in tables:
        grants = {(item["privilege"], item["column_name"]) for item in table.grants() if item["grantee"] == PURGE_ROLE}
        policies = [item for item in table.ask(_POLICIES) if PURGE_ROLE in item["roles"]]
        if table.name == "core.orgs":
            assert grants == {("SELECT", "id"), ("SELECT", "purged_at")}
            assert [(item["command"], item["using"]) for item in policies] == [("r", "(purged_at IS NOT NULL)")]
            continue
        is_emptied = table.tenant_column is not None and table.name not in KEPT
        if grants != ({("DELETE", None), ("SELECT", "org_id"), ("SELECT", "ctid")} if is_emptied else set()):
            problems.append(f"{table.name}: {PURGE_ROLE} holds {sorted(grants, key=str)}")
        if [(*item["roles"], item["using"]) for item in policies] != ([(PURGE_ROLE, given_up)] if is_emptied else []):
            problems.append(f"{table.name}: {PURGE_ROLE} stands under {policies}")
    refuse(problems)


def test_login_roles_and_public_hold_no_grant_on_any_table(tables: list[Table]) -> None:
    refuse([
        f"{table.name}: {grant['grantee']} holds {grant['privilege']}"
        for table in tables
        for grant in table.grants()
        if grant["grantee"] not in {*_WORK_ROLES, *DEFINERS}
    ])  # fmt: skip


def test_nobody_truncates_references_triggers_or_maintains(tables: list[Table]) -> None:
    refuse([
        f"{table.name}: {grant['grantee']} holds {grant['privilege']}"
        for table in tables
        for grant in table.grants()
        if grant["privilege"] not in {"SELECT", "INSERT", "UPDATE", "DELETE"}
    ])  # fmt: skip


def test_inserts_and_updates_are_granted_by_column_and_never_on_the_organisation(tables: list[Table]) -> None:
    problems: list[str] = []
    for table in tables:
        for grant in table.grants():
            if grant["privilege"] in {"INSERT", "UPDATE"}:
                if grant["column_name"] is None:
                    problems.append(f"{table.name}: {grant['grantee']} may {grant['privilege']} every column")
                if grant["column_name"] == table.tenant_column:
                    problems.append(f"{table.name}: {grant['grantee']} may {grant['privilege']} {table.tenant_column}")
    refuse(problems)


def test_the_organisation_is_never_null_and_comes_from_the_unit_of_work(tenant_tables: list[Table]) -> None:
    sql = """
      select a.attnotnull as is_required, pg_get_expr(d.adbin, d.adrelid) as value
      from pg_attribute a
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = cast(:oid as oid) and a.attname = :column
    """
    problems: list[str] = []
    for table in tenant_tables:
        ((is_required, value),) = table.connection.run(sql, oid=table.oid, column=table.tenant_column)
        if not is_required or value != "(current_setting('app.org_id'::text, true))::uuid":
            problems.append(f"{table.name}: {table.tenant_column} is nullable or not filled in by default: {value}")
    refuse(problems)


def test_every_tenant_table_has_an_index_that_starts_with_the_organisation(tenant_tables: list[Table]) -> None:
    refuse([
        f"{table.name}: no whole index starts with {table.tenant_column}"
        for table in tenant_tables
        if not any(i["columns"][0] == table.tenant_column and not i["is_partial"] for i in table.ask(_INDEXES))
    ])  # fmt: skip


def test_unique_rules_hold_within_one_organisation(tenant_tables: list[Table]) -> None:
    """A unique rule across organisations tells one of them what another holds."""
    across = {
        "core.api_keys_public_id_key": "drawn at random by the function; it finds the organisation",
        "core.invitations_token_hash_key": "the hash of a random token; it finds the organisation",
        "core.sso_domains_verified": "a domain that was proven by DNS belongs to one organisation",
        "scim.tokens_public_id_key": "drawn at random by the function; it finds the organisation",
    }
    found = {
        index["name"]
        for table in tenant_tables
        for index in table.ask(_INDEXES)
        if index["is_unique"] and table.tenant_column not in index["columns"]
    }
    assert found == set(across)


def test_foreign_keys_between_tenant_tables_carry_the_organisation(tenant_tables: list[Table]) -> None:
    column_of = {table.name: table.tenant_column for table in tenant_tables}
    problems: list[str] = []
    for table in tenant_tables:
        for key in table.ask(_FOREIGN_KEYS):
            if key["target"] not in column_of:
                continue
            pairs = list(zip(key["columns"], key["target_columns"], strict=True))
            if (table.tenant_column, column_of[key["target"]]) not in pairs:
                problems.append(f"{table.name}: {key['name']} to {key['target']} does not carry {table.tenant_column}")
    refuse(problems)


def test_every_tenant_row_belongs_to_an_organisation_that_exists(tenant_tables: list[Table]) -> None:
    refuse([
        f"{table.name}: no foreign key from org_id to core.orgs with on delete cascade"
        for table in tenant_tables
        if table.name not in {"core.orgs", *KEPT}
        and not any(
            key["target"] == "core.orgs" and key["columns"] == ["org_id"] and key["on_delete"] == "c"
            for key in table.ask(_FOREIGN_KEYS)
        )
    ])  # fmt: skip


def test_an_organisation_with_a_history_cannot_be_deleted(tenant_tables: list[Table]) -> None:
    found = {
        table.name: key["target"]
        for table in tenant_tables
        for key in table.ask(_FOREIGN_KEYS)
        if key["columns"] == ["org_id"] and key["on_delete"] == "r"
    }
    assert found == KEPT


def test_every_foreign_key_says_what_a_deletion_does(tables: list[Table]) -> None:
    refuse([
        f"{table.name}: {key['name']} states no `on delete`"
        for table in tables
        for key in table.ask(_FOREIGN_KEYS)
        if key["on_delete"] == "a"
    ])  # fmt: skip


def test_a_deletion_that_sets_null_leaves_the_organisation_alone(tenant_tables: list[Table]) -> None:
    refuse([
        f"{table.name}: {key['name']} would set {table.tenant_column} to null"
        for table in tenant_tables
        for key in table.ask(_FOREIGN_KEYS)
        if key["on_delete"] in {"n", "d"} and table.tenant_column in (key["set_columns"] or key["columns"])
    ])  # fmt: skip


def test_every_foreign_key_is_indexed(tables: list[Table]) -> None:
    problems: list[str] = []
    for table in tables:
        starts = [index["columns"] for index in table.ask(_INDEXES) if not index["is_partial"]]
        for key in table.ask(_FOREIGN_KEYS):
            wanted = set(key["columns"])
            if not any(set(columns[: len(wanted)]) == wanted for columns in starts):
                problems.append(f"{table.name}: no index starts with the columns of {key['name']} {sorted(wanted)}")
    refuse(problems)


def test_every_table_says_what_it_holds(tables: list[Table]) -> None:
    refuse([f"{table.name}: no comment" for table in tables if not table.facts["comment"]])


def test_the_roles_are_those_of_the_suite(roles: dict[str, dict[str, Any]]) -> None:
    assert set(roles) == {*_WORK_ROLES, *_LOGIN_ROLES, *DEFINERS}


def test_no_role_has_a_power_of_its_own(roles: dict[str, dict[str, Any]]) -> None:
    powers = ("rolsuper", "rolinherit", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
    refuse([f"{name} is {power}" for name, role in roles.items() for power in powers if role[power]])


def test_only_login_roles_log_in(roles: dict[str, dict[str, Any]]) -> None:
    assert {name for name, role in roles.items() if role["rolcanlogin"]} == set(_LOGIN_ROLES)


def test_a_login_role_is_a_member_of_its_own_work_role_only_and_must_step_into_it(
    catalogue: ClonedDatabase, roles: dict[str, dict[str, Any]]
) -> None:
    sql = """
      select m.member::regrole::text as member, m.roleid::regrole::text as work, m.inherit_option, m.set_option, m.admin_option
      from pg_auth_members m
      where m.member::regrole::text = any(cast(:names as text[])) or m.roleid::regrole::text = any(cast(:names as text[]))
    """
    found = {tuple(row) for row in catalogue.owner.run(sql, names=list(roles))}
    own = {(item.login, item.work, False, True, False) for item in load_suite().roles()}
    assert found == own, "login roles step into their own work role; work roles and definers have no members or groups"


def test_no_role_owns_anything_but_the_lookups(catalogue: ClonedDatabase) -> None:
    sql = """
      select d.refobjid::regrole::text, d.classid::regclass::text
      from pg_shdepend d
      where d.deptype = 'o' and d.refclassid = 'pg_authid'::regclass
        and d.dbid = (select oid from pg_database where datname = current_database())
    """
    assert {tuple(row) for row in catalogue.owner.run(sql)} == {(role, "pg_proc") for role in DEFINERS}


def test_no_role_can_create_anything(catalogue: ClonedDatabase, roles: dict[str, dict[str, Any]]) -> None:
    rows = catalogue.owner.run(
        "select r.rolname::text, n.nspname::text from pg_roles r cross join pg_namespace n "
        "where r.rolname = any(cast(:names as text[])) and n.nspname !~ '^pg_(toast|temp)' "
        "and has_schema_privilege(r.oid, n.oid, 'create')",
        names=list(roles),
    )
    assert rows == []
    rows = catalogue.owner.run(
        "select r.rolname::text from pg_roles r where r.rolname = any(cast(:names as text[])) "
        "and has_database_privilege(r.oid, current_database(), 'create')",
        names=list(roles),
    )
    assert rows == []


def test_work_roles_do_not_see_the_migrations_table(
    catalogue: ClonedDatabase, roles: dict[str, dict[str, Any]]
) -> None:
    rows = catalogue.owner.run(
        "select r.rolname::text from pg_roles r where r.rolname = any(cast(:names as text[])) "
        "and has_table_privilege(r.oid, 'public.schema_migrations', 'select, insert, update, delete')",
        names=list(roles),
    )
    assert rows == []


def test_functions_that_run_as_their_owner_are_narrow(catalogue: ClonedDatabase) -> None:
    problems: list[str] = []
    for function in ask(catalogue.owner, _FUNCTIONS):
        name = function["name"]
        if not function["comment"]:
            problems.append(f"{name}: no comment")
        if not function["is_definer"]:
            continue
        if function["settings"] != ["search_path=pg_catalog, pg_temp"]:
            problems.append(f"{name}: its search path is not fixed to pg_catalog, pg_temp: {function['settings']}")
        if function["owner"] != WRITERS.get(name, LOOKUP_ROLE):
            problems.append(f"{name}: owned by {function['owner']}")
        if function["volatility"] != "s" and name not in WRITERS:
            problems.append(f"{name}: not stable, so it could write, or be taken for a constant")
        strangers = set(function["callers"]) - ({IN_UNITS[name]} if name in IN_UNITS else set(_LOGIN_ROLES))
        problems += [f"{name}: {role} may call it" for role in strangers]
        if not set(function["callers"]):
            problems.append(f"{name}: nobody may call it")
    refuse(problems)


def test_no_function_is_open_to_everybody(catalogue: ClonedDatabase) -> None:
    refuse(
        [
            f"{item['name']}: public may call it"
            for item in ask(catalogue.owner, _FUNCTIONS)
            if "public" in item["callers"]
        ]
    )


def test_views_ask_as_whoever_asks(catalogue: ClonedDatabase) -> None:
    rows = catalogue.owner.run(
        "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema') "
        "and (c.relkind = 'm' or not coalesce(c.reloptions @> array['security_invoker=true'], false))"
    )
    assert rows == [], "a view without security_invoker (or a materialised one) reads past row-level security"


def test_nothing_runs_behind_a_statement(catalogue: ClonedDatabase) -> None:
    """Triggers and rewrite rules would run with rights and at times that no query says."""
    found: dict[str, dict[str, set[str]]] = {}
    for table, function, kind, enabled in catalogue.owner.run(
        "select n.nspname || '.' || c.relname, pn.nspname || '.' || p.proname, t.tgtype::integer, t.tgenabled::text "
        "from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace "
        "join pg_proc p on p.oid = t.tgfoid join pg_namespace pn on pn.oid = p.pronamespace where not t.tgisinternal"
    ):
        bits = {4: "insert", 8: "delete", 16: "update", 32: "truncate"}
        events = " or ".join(word for bit, word in bits.items() if kind & bit)
        found.setdefault(table, {}).setdefault(function, set()).add(events)
        assert kind & 2, f"{table}: {function} fires after the change"
        assert enabled == "A", f"{table}: {function} can be switched off by session_replication_role"
    assert found == TRIGGERS
    assert (
        catalogue.owner.run(
            "select rulename::text from pg_rules where schemaname = any(cast(:s as text[]))", s=list(SCHEMAS)
        )
        == []
    )


def test_no_default_grants_wait_for_the_next_table(catalogue: ClonedDatabase) -> None:
    assert catalogue.owner.run("select defaclrole::regrole::text, defaclobjtype::text from pg_default_acl") == []
