"""Organisations: nothing of one stands in a row of another, and none was ever shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from .world import Owner, World

# Every table whose rows belong to an organisation, and what says to which; new ones join by themselves.
_TABLES = """
select format('%I.%I', n.nspname, c.relname) as name, case when c.oid = 'core.orgs'::regclass then 'id' else 'org_id' end as org_column,
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'id' and a.atttypid = 'uuid'::regtype) as has_id
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_|^information_schema$' and (
  c.oid = 'core.orgs'::regclass
  or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)
)
order by 1
"""
# Words as `Calls.new_marker` makes them, in any column; the second form is one in bytes, as PostgreSQL writes them.
_WORD = "mark[0-9a-f]{32}|6d61726b(?:3[0-9]|6[1-6]){32}"
_WORDS = """
select t.{org_column}::text as org, m.found[1] as word, count(*) as rows
from {name} t
cross join lateral regexp_matches(t::text, cast(:word as text), 'g') as m (found)
group by 1, 2
"""
_HOMES = "select id::text as org, name from core.orgs where name ~ '^mark[0-9a-f]{32}$' order by created_at desc, id"

_MAKE_IDS = """
create temporary table known_ids (id uuid not null, org_id uuid not null, name text not null)
"""
_ADD_IDS = "insert into known_ids select id, {org_column}, '{name}' from {name}"
_INDEX_IDS = "create index on known_ids (id)"
_READ_IDS = "analyze known_ids"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NAMED = """
with named as materialized (
  select distinct t.{org_column} as org_id, cast(m.found[1] as uuid) as id
  from {name} t
  cross join lateral regexp_matches(t::text, cast(:uuid as text), 'g') as m (found)
)
select n.org_id::text as org, n.id::text as id, k.org_id::text as other, k.name
from named n
join known_ids k on k.id = n.id and k.org_id <> n.org_id
where not exists (select from known_ids o where o.id = n.id and o.org_id = n.org_id)
limit 20
"""


def no_row_holds_a_foreign_word(world: World, counts: Counter[str]) -> Iterator[str]:
    """The word that one organisation puts into everything it stores stands in no row of another, in whatever column.

    Whose a word is, the organisation's name says (of two, the older one's). One that no organisation is called by (it was renamed, or its making failed) may
    stand in rows of one alone.
    """
    places: defaultdict[str, list[tuple[str, str, int]]] = defaultdict(list)
    with world.owner() as owner:
        homes: dict[str, str] = {row["name"]: row["org"] for row in owner.rows(_HOMES)}
        for table in owner.rows(_TABLES):
            counts["tables"] += 1
            for row in owner.rows(_WORDS.format(**table), word=_WORD):
                places[_word(row["word"])].append((row["org"], table["name"], row["rows"]))
    counts["words"] = len(places)
    for word, found in places.items():
        counts["finds"] += sum(rows for _, _, rows in found)
        home = homes.get(word)
        if home is None and len({org for org, _, _ in found}) == 1:
            continue
        for org, name, rows in found:
            if org != home:
                yield f"{name}: {rows} rows of org {org} hold {word} of org {home or 'unknown'}"


def no_row_names_a_foreign_row(world: World, counts: Counter[str]) -> Iterator[str]:
    """No row names the id of another organisation's row: neither as a reference nor in a list, a document or a text.

    Foreign keys between these tables carry the organisation, so they cannot cross; most references of the suite are none.
    """
    with world.owner() as owner:
        owner.connection.run(_MAKE_IDS)
        tables = owner.rows(_TABLES)
        for table in tables:
            if table["has_id"]:
                owner.connection.run(_ADD_IDS.format(**table))
        owner.connection.run(_INDEX_IDS)
        owner.connection.run(_READ_IDS)
        counts["tables"], counts["ids"] = len(tables), owner.number("select count(*) from known_ids")
        yield from _named(owner, tables)


def _named(owner: Owner, tables: list[dict[str, str]]) -> Iterator[str]:
    for table in tables:
        for row in owner.rows(_NAMED.format(**table), uuid=_UUID):
            yield f"{table['name']}: a row of org {row['org']} names {row['id']}, which is in {row['name']} of org {row['other']}"


def no_answer_showed_a_foreign_word(world: World, counts: Counter[str]) -> Iterator[str]:
    """No answer showed one organisation the word of another."""
    counts["answers"], counts["words"] = len(world.calls.all()), len(world.calls.markers())
    yield from world.calls.foreign()


def _word(found: str) -> str:
    """Return a word as it was made; every other way to write it is hexadecimal."""
    return found if found.startswith("mark") else bytes.fromhex(found).decode()
