"""Noise is what is spelled differently and means the same; a real change never is."""

from __future__ import annotations

from typing import Any

import pytest

from shared.rules.noise import judge_noise
from shared.rules.plan import Change, Plan
from shared.rules.values import SENSITIVE_CHANGED, UNKNOWN


def _noise(kind: str, before: Any, after: Any, actions: tuple[str, ...] = ("update",), references: Any = None) -> Any:
    change = Change(f"{kind}.x", kind, actions, before, after)
    return judge_noise(change, Plan((change,), references=references))


@pytest.mark.parametrize(
    ("kind", "before", "after", "why"),
    [
        ("aws_x", {"tags": None}, {"tags": {}}, "null and empty are the same"),
        ("aws_x", {"description": ""}, {"description": None}, "null and empty are the same"),
        ("aws_x", {"block": [{"a": 1, "b": ""}]}, {"block": [{"a": 1, "b": None}]}, "null and empty are the same"),
        ("aws_x", {"port": "80"}, {"port": 80}, "a number or a flag in another spelling"),
        ("aws_x", {"on": "true"}, {"on": True}, "a number or a flag in another spelling"),
        ("aws_x", {"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}, "JSON in another spelling"),
        ("aws_x", {"subnets": ["a", "b"]}, {"subnets": ["b", "a"]}, "order of a set"),
        ("azurerm_x", {"subnet_id": "/subscriptions/A/resourceGroups/B"}, {"subnet_id": "/subscriptions/a/resourcegroups/b"}, "case of an Azure id"),
        ("azurerm_x", {"location": "West Europe"}, {"location": "westeurope"}, "spelling of a location"),
        ("aws_route53_record", {"name": "a.example.com."}, {"name": "a.example.com"}, "dot at the end of a name"),
    ],
)  # fmt: skip
def test_another_spelling_is_noise(kind: str, before: Any, after: Any, why: str) -> None:
    found = _noise(kind, before, after)
    assert [reason for _, reason in found.reasons] == [why]
    assert found.is_whole


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("aws_x", {"tags": {"a": ""}}, {"tags": {}}),
        ("aws_x", {"count": 1}, {"count": True}),
        ("aws_x", {"count": 0}, {"count": None}),
        ("aws_x", {"on": False}, {"on": None}),
        ("aws_x", {"policy": '{"a": [1, 2]}'}, {"policy": '{"a": [2, 1]}'}),
        ("aws_x", {"policy": "a"}, {"policy": "b"}),
        ("aws_x", {"rules": ["a", "b"]}, {"rules": ["b", "a"]}),
        ("aws_x", {"subnets": ["a", "b"]}, {"subnets": ["a", "c"]}),
        ("azurerm_x", {"name": "A"}, {"name": "a"}),
        ("aws_x", {"version": "1.0"}, {"version": "1.00"}),
        ("aws_x", {"a": 1}, {"a": UNKNOWN}),
        ("aws_x", {"a": 1}, {"a": SENSITIVE_CHANGED}),
    ],
)
def test_a_real_change_is_never_noise(kind: str, before: Any, after: Any) -> None:
    assert _noise(kind, before, after) is None


@pytest.mark.parametrize("actions", [("create",), ("delete",), ("delete", "create"), ("no-op",)])
def test_only_an_update_can_be_noise(actions: tuple[str, ...]) -> None:
    assert _noise("aws_x", {"tags": None}, {"tags": {}}, actions) is None


def test_what_the_provider_computes_again_is_noise_beside_a_real_change_but_no_reason_to_hide_it() -> None:
    found = _noise(
        "aws_x", {"a": 1, "etag": "x"}, {"a": 2, "etag": UNKNOWN}, references={"aws_x.x": {"a": frozenset()}}
    )
    assert found.reasons == (("etag", "computed by the provider"),)
    assert not found.is_whole
