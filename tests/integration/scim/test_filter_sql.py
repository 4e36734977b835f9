"""A filter finds the same in PostgreSQL as in memory: random resources, random filters, each as text and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pg8000 import native

from functions.scim.domain.errors import InvalidPath, InvalidValue
from functions.scim.domain.filter_sql import Column, Columns, Rows, Sql, compile_filter, compile_sort
from functions.scim.domain.filters import And, Comparison, Not, Or, ValuePath, matches, parse_filter
from functions.scim.domain.schemas import GROUP, USER, ResourceSchema
from shared.data.migrations import connect
from tests.support.database import DatabaseServer
from tests.support.scim_cases import IDS, group_filters, groups, moments, user_filters, users

DOCUMENT = Columns("r.document", {"id": Column("r.id", "uuid")})
AS_COLUMNS = Columns(
    "r.document - 'userName' - 'active' - 'emails'",
    {
        "id": Column("r.id", "uuid"),
        "userName": Column("r.user_name", folded_sql='casefold(r.user_name collate "pg_unicode_fast")'),
        "active": Column("r.active", "boolean"),
        "meta.created": Column("r.created_at", "timestamp"),
        "meta.lastModified": Column("r.changed_at", "timestamp"),
        "emails": Rows(
            """jsonb_to_recordset(r.document -> 'emails') as m (value text, display text, type text, "primary" boolean)""",
            "true",
            {
                "value": Column("m.value"), "display": Column("m.display"), "type": Column("m.type"),
                "primary": Column('m."primary"', "boolean"),
            },
        ),
    },
)  # fmt: skip
IN_DOCUMENT = Columns(
    "r.document",
    {name: AS_COLUMNS.known[name] for name in ("id", "meta.created", "meta.lastModified")},
)
SINGLE_COLUMNS = Columns(
    "r.document - 'userName' - 'active'",
    {name: column for name, column in AS_COLUMNS.known.items() if name != "emails"},
)
GATHERED = Columns(
    "r.document",
    IN_DOCUMENT.known,
    {
        "emails.value": """casefold(jsonb_path_query_array(r.document, 'lax $.emails[*].value')::text
          collate "pg_unicode_fast")"""
    },
)
MEMBERS = {
    "members": Rows("jsonb_to_recordset(r.document -> 'members') as m (value text, type text)", "true", {"value": Column("m.value"), "type": Column("m.type")})
}  # fmt: skip
MEMBER_IDS = {
    "members": Rows(
        "jsonb_to_recordset(r.document -> 'members') as m (value uuid, type text)", "true", {"value": Column("m.value", "uuid"), "type": Column("m.type")}
    )
}  # fmt: skip
ROWS = """
from jsonb_to_recordset(cast(:rows as jsonb)) as r (
  n integer, id uuid, user_name text, active boolean, created_at timestamptz, changed_at timestamptz, document jsonb
)
"""
UUIDS = IDS[:2]


@pytest.fixture(scope="module")
def postgres(database_server: DatabaseServer) -> Iterator[native.Connection]:
    with database_server.empty() as url, closing(connect(url)) as connection:
        yield connection


def row(number: int, resource: dict[str, Any]) -> dict[str, Any]:
    meta = resource.get("meta", {})
    return {
        "n": number, "id": resource.get("id"), "user_name": resource.get("userName"), "active": resource.get("active"),
        "created_at": meta.get("created"), "changed_at": meta.get("lastModified"),
        "document": {name: value for name, value in resource.items() if name not in {"id", "meta"}},
    }  # fmt: skip


def found_by_sql(postgres: native.Connection, resources: list[dict[str, Any]], sql: Sql) -> list[int]:
    rows = json.dumps([row(number, resource) for number, resource in enumerate(resources)])
    found = postgres.run(f"select r.n, {sql.text} as answer {ROWS} order by r.n", rows=rows, **sql.parameters)
    assert found is not None
    return [number for number, answer in found if answer]


def check(
    postgres: native.Connection, text: str, resources: list[dict[str, Any]], schema: ResourceSchema, columns: Columns
) -> None:
    found = parse_filter(text, schema)
    sql = compile_filter(found, columns)
    expected = [number for number, resource in enumerate(resources) if matches(found, resource)]
    assert found_by_sql(postgres, resources, sql) == expected, f"{text}\n{sql}"


served = st.fixed_dictionaries(
    {}, optional={"id": st.sampled_from(UUIDS), "meta": st.fixed_dictionaries({}, optional={"created": moments, "lastModified": moments})}
)  # fmt: skip
many_users = st.lists(st.tuples(users, served).map(lambda both: {**both[0], **both[1]}), min_size=1, max_size=8)
many_groups = st.lists(groups, min_size=1, max_size=8)


@settings(max_examples=120)
@given(text=user_filters, resources=many_users)
@pytest.mark.parametrize("columns", [IN_DOCUMENT, AS_COLUMNS, GATHERED], ids=["document", "columns", "gathered"])
def test_sql_finds_the_users_that_match(postgres, text, resources, columns):
    check(postgres, text, resources, USER, columns)


@settings(max_examples=60)
@given(text=group_filters, resources=many_groups)
@pytest.mark.parametrize("columns", [DOCUMENT, Columns("r.document", MEMBERS)], ids=["document", "rows"])
def test_sql_finds_the_groups_that_match(postgres, text, resources, columns):
    check(postgres, text, resources, GROUP, columns)


@settings(max_examples=60)
@given(
    operator=st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "le"]),
    asked=st.sampled_from(IDS),
    members=st.lists(
        st.lists(st.sampled_from(UUIDS).map(lambda one: {"value": one}), max_size=2), min_size=1, max_size=4
    ),
)
def test_ids_are_compared_as_uuids_and_anything_else_equals_none(postgres, operator, asked, members):
    resources = [{"members": some} if some else {} for some in members]
    check(postgres, f'members.value {operator} "{asked}"', resources, GROUP, Columns("r.document", MEMBER_IDS))
    check(postgres, f'not (members[value {operator} "{asked}"])', resources, GROUP, Columns("r.document", MEMBER_IDS))


def order_in_memory(resources: list[dict[str, Any]], path: str, order: str) -> list[int]:
    """RFC 7644 section 3.4.2.3, in other words: by the value, or the primary or first one; without a value last, or first if descending."""

    def key(number: int) -> Any:
        resource = resources[number]
        if path.startswith("emails"):
            emails = resource.get("emails", [])
            chosen = next((email for email in emails if email.get("primary")), emails[0] if emails else {})
            return chosen.get(path.partition(".")[2] or "value")
        if path == "meta.created":
            moment = resource.get("meta", {}).get("created")
            return None if moment is None else datetime.fromisoformat(moment).timestamp()
        first, _, last = path.partition(".")
        found = resource.get(first)
        return found.get(last) if last and found else found

    def comparable(number: int) -> Any:
        value = key(number)
        return value.casefold() if isinstance(value, str) and path != "externalId" else value

    numbers = range(len(resources))
    filled = sorted(
        (number for number in numbers if key(number) is not None), key=comparable, reverse=order == "descending"
    )
    if order == "descending":  # sorted() keeps equal ones in order also when it reverses
        return [number for number in numbers if key(number) is None] + filled
    return filled + [number for number in numbers if key(number) is None]


@settings(max_examples=100)
@given(
    path=st.sampled_from(
        ["userName", "USERNAME", "externalId", "name.familyName", "emails", "emails.type", "active", "meta.created"]
    ),
    order=st.sampled_from(["ascending", "descending"]),
    resources=many_users,
)
@pytest.mark.parametrize("columns", [IN_DOCUMENT, SINGLE_COLUMNS], ids=["document", "columns"])
def test_a_list_is_in_the_order_asked_for(postgres, path, order, resources, columns):
    sql = compile_sort(path, order, columns, USER)
    rows = json.dumps([row(number, resource) for number, resource in enumerate(resources)])
    found = postgres.run(f"select r.n {ROWS} order by {sql.text}, r.n", rows=rows)
    assert found is not None
    known = "userName" if path == "USERNAME" else path
    assert [number for (number,) in found] == order_in_memory(resources, known, order)


def test_what_has_no_order_is_refused():
    for path in ("name", "schemas", "x509Certificates", "nosuch", 'emails[type eq "work"]', "a b"):
        with pytest.raises(InvalidPath):
            compile_sort(path, "ascending", DOCUMENT, USER)
    with pytest.raises(InvalidValue):
        compile_sort("userName", "asc", DOCUMENT, USER)


@settings(max_examples=100)
@given(text=user_filters)
@pytest.mark.parametrize("columns", [AS_COLUMNS, GATHERED], ids=["columns", "gathered"])
def test_nothing_that_a_client_wrote_is_in_the_text(text, columns):
    """Two filters of one form compile to one text, whatever their values are."""
    found = parse_filter(text, USER)
    sql = compile_filter(found, columns)
    marked = compile_filter(_marked(found), columns)
    assert marked.text == sql.text
    assert set(marked.parameters) == set(sql.parameters)


def _marked(found: Any) -> Any:
    """Put another value in the place of each text, but for ids, where a text that is no UUID is known to equal none."""
    match found:
        case And(parts) | Or(parts):
            return type(found)(tuple(map(_marked, parts)))
        case Not(inner):
            return Not(_marked(inner))
        case ValuePath(target, inner):
            return ValuePath(target, _marked(inner))
        case Comparison(target, _, str()) if target.path != "id":
            return replace(found, value="the client's '; drop table x; -- :name %")
        case _:
            return found


def test_a_bare_comparison_uses_the_index(postgres):
    """What a directory asks of every person, `userName eq "…"`, is no walk through all of them."""
    key = 'casefold(user_name collate "pg_unicode_fast")'
    postgres.run("create temporary table people (id uuid primary key default uuidv7(), user_name text, document jsonb)")
    postgres.run(f"create index on people ({key})")
    postgres.run(
        "insert into people (user_name, document) select 'Person ' || n, '{}' from generate_series(1, 5000) as n"
    )
    postgres.run("analyze people")
    columns = Columns("p.document", {"userName": Column("p.user_name"), "id": Column("p.id", "uuid")})
    for text in ('userName eq "PERSON 7"', 'userName eq "person 7" and active ne false', f'id eq "{UUIDS[0]}"'):
        sql = compile_filter(parse_filter(text, USER), columns)
        plan = postgres.run(f"explain select from people p where {sql.text}", **sql.parameters)
        assert plan is not None
        assert "Index" in str(plan), plan
