"""What Okta and Entra ID send, request by request, with what must come of it; replayed in memory and over HTTP.

A file of `tests/fixtures/scim/<provider>` holds `title`, `source` (the vendor's pages) and `steps`. A step has `method`, `path` (below the base of
the SCIM service; the query may be written as people read it), `body` and `status`, and says what it must come to:

    save       name that the new resource's id goes by: `{name}` in later paths and bodies
    resource   the whole resource afterwards, without `schemas`, `id`, `meta`, and of members only the ids
    total      `totalResults` of a list
    changed    whether a PATCH changes anything, and so the version
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "fixtures" / "scim"
_SERVED = {"schemas", "id", "meta", "groups"}


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Attributes:
        body: JSON; None when there is none.
        version: `meta.version` or the header `ETag`, if told.
    """

    status: int
    body: dict[str, Any] | None
    version: str | None = None


Call = Callable[[str, str, Any], Answer]


def sequence_files() -> list[Path]:
    """Return every recorded sequence."""
    return sorted(FOLDER.glob("*/*.json"))


def replay(path: Path, call: Call) -> None:
    """Send a sequence, and check what comes of each step.

    Args:
        path: of the file.
        call: sends one request: method, path with its query as it is written, body or None.
    """
    ids: dict[str, str] = {}
    versions: dict[str, str | None] = {}
    for number, step in enumerate(json.loads(path.read_text("utf-8"))["steps"]):
        where = f"{path.parent.name}/{path.stem}, step {number}: {step['method']} {step['path']}"
        place = str(_with_ids(step["path"], ids))
        answer = call(step["method"], place, _with_ids(step.get("body"), ids))
        assert answer.status == step["status"] or (step["status"], answer.status) == (200, 204), f"{where}: {answer}"
        if "save" in step:
            assert answer.body is not None, where
            ids[step["save"]] = answer.body["id"]
            place = f"{place}/{answer.body['id']}"
        if "total" in step:
            assert answer.body is not None, where
            assert answer.body["totalResults"] == len(answer.body["Resources"]) == step["total"], (
                f"{where}: {answer.body}"
            )
        if "resource" in step:
            found = call("GET", place, None).body if step["method"] != "GET" else answer.body
            assert found is not None, where
            assert comparable(found) == comparable(_with_ids(step["resource"], ids)), where
        if "changed" in step:
            assert (answer.version != versions.get(place)) == step["changed"], where
        versions[place] = answer.version


def comparable(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two servers must agree on: without what a server adds, members as a set of ids."""
    found = {name: value for name, value in resource.items() if name not in _SERVED and value not in (None, [])}
    if "members" in found:
        found["members"] = sorted(member["value"] for member in found["members"])
    return found


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, resource_id in ids.items():
            value = value.replace(f"{{{name}}}", resource_id)
        return value
    if isinstance(value, list):
        return [_with_ids(one, ids) for one in value]
    if isinstance(value, dict):
        return {name: _with_ids(one, ids) for name, one in value.items()}
    return value
