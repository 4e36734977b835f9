"""Every compared attribute is read from a member that the API has.

The list of members is the API's own: `tests/fixtures/kubernetes/api_models.json` was taken from the models that the official
Python client is generated with. Source: https://github.com/kubernetes-client/python, `kubernetes/client/models`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from functions.scan.types.kubernetes import by_kind
from functions.scan.types.kubernetes.mapping import Field, Mapped

FILE = Path(__file__).parents[3] / "fixtures" / "kubernetes" / "api_models.json"


@cache
def api() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def model_of(kind: str) -> str:
    return str(api()["kinds"][kind])


def inner(kind: str) -> str:
    """Return the model inside a list or map, or the type itself."""
    match = re.fullmatch(r"(?:List|Dict)\[(?:str, )?(.*)\]", kind)
    return match[1] if match else kind


def problems(fields: tuple[Field, ...], model: str, above: str) -> list[str]:
    found: list[str] = []
    for one in fields:
        path = f"{above}.{one.name}" if above else one.name
        at: str | None = model
        for name in one.path:
            members = api()["models"].get(at, {})
            at = inner(members[name]) if name in members else None
            if at is None:
                found.append(f"{path}: {model} has no {'.'.join(one.path)}")
                break
        if at is not None and one.members:
            found += problems(one.members, at, path)
    return found


@pytest.mark.parametrize("item", by_kind().values(), ids=lambda item: item.kind.type)
def test_the_api_has_every_member_that_is_read(item: Mapped) -> None:
    assert not (found := problems(item.fields, model_of(item.kind.kind), "")), "\n".join(found)


def test_a_member_that_is_misspelt_would_be_told() -> None:
    wrong = Field("spec.replicas", str, ("spec", "replica"))  # type: ignore[arg-type]
    assert problems((wrong,), "V1Deployment", "") == ["spec.replicas: V1Deployment has no spec.replica"]
