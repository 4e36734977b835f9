"""The smallest SCIM server around `functions.scim.domain`: everything in a dictionary, so that whole sequences run in a unit test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from functions.scim.domain.errors import ScimError, error_body
from functions.scim.domain.etags import write_etag
from functions.scim.domain.filters import matches
from functions.scim.domain.members import members_delta
from functions.scim.domain.operations import parse_patch
from functions.scim.domain.patch import apply_patch
from functions.scim.domain.projection import Projection, project
from functions.scim.domain.schemas import GROUP, RESOURCE_SCHEMAS, ResourceSchema
from functions.scim.domain.searching import list_body, parse_query
from functions.scim.domain.values import read_new, read_replacement

from .scim_sequences import Answer


@dataclass
class MemoryScim:
    """A server; `call` is what `replay` wants."""

    kept: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {"users": {}, "groups": {}})
    versions: dict[str, int] = field(default_factory=dict)
    made: int = 0

    def call(self, method: str, path: str, body: Any) -> Answer:
        place, _, query = path.partition("?")
        kind, _, resource_id = place.strip("/").partition("/")
        schema = next(one for one in RESOURCE_SCHEMAS if one.endpoint.lower() == f"/{kind.lower()}")
        try:
            return self._answer(method, schema, resource_id, query, body)
        except ScimError as error:
            return Answer(error.status, dict(error_body(error.status, error.detail or error.title, error.scim_type)))

    def _answer(self, method: str, schema: ResourceSchema, resource_id: str, query: str, body: Any) -> Answer:
        kept = self.kept[schema.endpoint.strip("/").lower()]
        asked = parse_query(parse_qs(query, keep_blank_values=True))
        if not resource_id and method == "GET":
            condition = asked.filter_for(schema)
            found = [one for one in kept.values() if condition is None or matches(condition, one)]
            return Answer(
                200, list_body([project(one, schema, asked.projection) for one in found], len(found), start_index=1)
            )
        if method == "POST":
            self.made += 1
            resource_id = str(UUID(int=self.made))
            return self._keep(schema, {**read_new(body, schema), "id": resource_id}, 201)
        if resource_id not in kept:
            return Answer(404, None)
        if method == "DELETE":
            del kept[resource_id]
            return Answer(204, None)
        current = kept[resource_id]
        if method == "PUT":
            return self._keep(schema, read_replacement(body, schema, current), 200)
        if method == "PATCH":
            return self._keep(schema, self._patched(schema, current, body), 200)
        return Answer(200, project(current, schema, asked.projection), self._version(resource_id))

    def _patched(self, schema: ResourceSchema, current: dict[str, Any], body: Any) -> dict[str, Any]:
        """Patch the whole resource, and a group's members as a difference too: both ways must come to the same."""
        operations = parse_patch(body)
        whole = apply_patch(current, operations, schema).resource
        if schema is GROUP:
            delta = members_delta(operations)
            assert delta is not None, "providers name members by their ids"
            ids = [] if delta.replaces_all else [one["value"] for one in current.get("members", [])]
            ids = [one for one in ids if one not in delta.remove]
            ids += [one for one in delta.add if one not in ids]
            assert sorted(ids) == sorted(one["value"] for one in whole.get("members", []))
            rest = {name: value for name, value in current.items() if name != "members"}
            assert apply_patch(rest, delta.others, schema).resource == {
                name: value for name, value in whole.items() if name != "members"
            }
        return whole

    def _keep(self, schema: ResourceSchema, resource: dict[str, Any], status: int) -> Answer:
        kept, resource_id = self.kept[schema.endpoint.strip("/").lower()], resource["id"]
        if kept.get(resource_id) != resource:
            self.versions[resource_id] = self.versions.get(resource_id, 0) + 1
        kept[resource_id] = resource
        return Answer(status, project(resource, schema, Projection()), self._version(resource_id))

    def _version(self, resource_id: str) -> str:
        return write_etag(self.versions[resource_id])
