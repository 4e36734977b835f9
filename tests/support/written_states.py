"""A generated configuration as the state that an apply of it leaves, as far as the configuration says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from functions.scan.domain.records import live_row
from functions.scan.domain.resources import LiveResource
from functions.scan.domain.sealing import Sealer
from functions.scan.domain.specs import TypeSpec
from functions.scan.fixing.hcl import Block, Body, Encoded, Raw
from functions.scan.types.import_rules import Source
from functions.scan.types.provider_schema import AttributeSchema
from shared.ports.secret_store import Secret

_SEALER = Sealer([(1, Secret(b"k" * 32))], UUID(int=1))


def source_of(live: LiveResource, specs: Mapping[str, TypeSpec]) -> Source:
    """Return a resource as the fix finds it: as the scan stored it."""
    row: Any = json.loads(json.dumps(live_row(live, specs, _SEALER), default=str))
    return Source(row["key"], row["cloud_id"], row["attributes"], row["tags"])


def state_of_body(body: Body) -> dict[str, Any]:
    """Return the attributes that a body sets; those that a variable gives are left out."""
    found: dict[str, Any] = {}
    for entry in body:
        if isinstance(entry, Block):
            found.setdefault(entry.name, []).append(state_of_body(entry.body))
        elif not isinstance(entry[1], Raw):
            name, value = entry
            found[name] = json.dumps(value.value) if isinstance(value, Encoded) else value
    return found


def is_computed(path: str, schema: Mapping[str, AttributeSchema]) -> bool:
    """Say whether no configuration can set what a path leads to; an apply reads it."""
    name, _, rest = path.partition(".")
    item = schema.get(name.partition("[")[0])
    if item is None:
        return False
    return item.is_computed_only or bool(rest and item.members and is_computed(rest, item.members))
