"""What is read from a plan: changes with their modules and reasons, no secret, unknowns as such, and who depends on whom."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.analyze.domain.plan import read_plan
from functions.analyze.domain.plan.hiding import hide
from functions.analyze.errors import PlanUnreadable
from shared.rules.values import SENSITIVE, SENSITIVE_CHANGED, UNKNOWN

SECRET = "hunter2-hunter2"


def _plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "terraform_version": "1.9.8", "resource_changes": list(changes), **more}


def _change(address: str = "aws_x.a", actions: tuple[str, ...] = ("update",), **body: Any) -> dict[str, Any]:
    return {
        "address": address,
        "type": address.split(".")[-2].split("[", maxsplit=1)[0],
        "change": {"actions": list(actions), "before": {}, "after": {}, **body},
    }


def test_everything_a_change_says_is_kept() -> None:
    item = {
        **_change(
            'module.net["a.b"].aws_db_instance.main[0]', ("create", "delete"), replace_paths=[["engine"], ["a", 0, "b"]], importing={"id": "x"}
        ),
        "type": "aws_db_instance", "name": "main", "mode": "managed", "module_address": 'module.net["a.b"]',
        "provider_name": "registry.opentofu.org/hashicorp/aws", "action_reason": "replace_because_cannot_update",
        "previous_address": "aws_db_instance.old", "deposed": "abcd1234",
    }  # fmt: skip
    change = read_plan(_plan(item)).changes[0]
    assert change.is_replace
    assert change.destroys
    assert (change.module, change.name, change.provider) == (
        'module.net["a.b"]',
        "main",
        "registry.opentofu.org/hashicorp/aws",
    )
    assert change.replace_paths == (("engine",), ("a", 0, "b"))
    assert (change.reason, change.previous_address) == ("replace_because_cannot_update", "aws_db_instance.old")
    assert change.is_import
    assert change.deposed == "abcd1234"


def test_what_blocks_refer_to_is_known_by_attribute_too() -> None:
    expressions = {
        "vpc_config": [{"subnet_ids": {"references": ["aws_x.b.id", "aws_x.b"]}, "endpoint": {"constant_value": True}}],
        "plain": {"references": ["aws_x.b"]},
    }
    root = {"resources": [{"address": "aws_x.a", "expressions": expressions}, {"address": "aws_x.b"}]}
    known = read_plan(_plan(configuration={"root_module": root})).references or {}
    assert {name: set(found) for name, found in known["aws_x.a"].items()} == {
        "vpc_config": {"aws_x.b"}, "vpc_config.subnet_ids": {"aws_x.b"}, "vpc_config.endpoint": set(), "plain": {"aws_x.b"}, "*": set(),
    }  # fmt: skip


def test_drift_checks_outputs_and_deferred_changes_are_read() -> None:
    plan = read_plan(
        _plan(
            _change(),
            resource_drift=[_change("aws_x.b")],
            deferred_changes=[{"reason": "instance_count_unknown", "resource_change": _change("aws_x.c")}],
            checks=[{"address": {"to_display": "check.health"}, "status": "fail"}, {"address": {"to_display": "ok"}, "status": "pass"}],
            output_changes={"url": {"actions": ["update"], "before": SECRET, "after": SECRET}, "same": {"actions": ["no-op"]}},
            relevant_attributes=[{"resource": "aws_x.b", "attribute": ["ingress", 0, "port"]}],
            complete=False,
        )
    )  # fmt: skip
    assert [change.address for change in plan.drift] == ["aws_x.b"]
    assert [(change.address, change.deferred) for change in plan.changes] == [
        ("aws_x.a", None),
        ("aws_x.c", "instance_count_unknown"),
    ]
    assert plan.checks == (("check.health", "fail"),)
    assert plan.outputs == (("url", ("update",)),)
    assert plan.relevant == (("aws_x.b", "ingress[0].port"),)
    assert len(plan.notes) == 2
    assert SECRET not in repr(plan)


def test_unknown_values_are_marked_at_their_place() -> None:
    change = read_plan(
        _plan(
            _change(
                after={"a": 1, "list": ["x", None]},
                after_unknown={"id": True, "list": [False, True], "block": [{"arn": True}]},
            )
        )
    ).changes[0]
    assert change.after == {"a": 1, "list": ["x", UNKNOWN], "id": UNKNOWN, "block": [{"arn": UNKNOWN}]}


def test_a_sensitive_value_keeps_one_bit_whether_it_changes() -> None:
    marks = {"before_sensitive": {"a": True, "b": True}, "after_sensitive": {"a": True, "b": True}}
    change = read_plan(_plan(_change(before={"a": "x", "b": "x"}, after={"a": "x", "b": "y"}, **marks))).changes[0]
    assert change.before == {"a": SENSITIVE, "b": SENSITIVE}
    assert change.after == {"a": SENSITIVE, "b": SENSITIVE_CHANGED}


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET}, {"master_password": SECRET}, {"db": [{"adminPassword": SECRET}]}, {"secret_string": SECRET},
        {"private_key": SECRET}, {"private_key_pem": SECRET}, {"env": {"DB_PASSWORD": SECRET}}, {"API_TOKEN": SECRET},
        {"environment": [{"name": "DB_PASSWORD", "value": SECRET}]}, {"env": [{"value": SECRET, "key": "api_key"}]},
        {"connection_string": SECRET}, {"primary_access_key": SECRET},
        {"user_data": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----"},
    ],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_hidden_although_nothing_marks_it(value: Any) -> None:
    for before, after in ((None, value), (value, None), (value, {}), ({}, value), (value, value)):
        plan = read_plan(_plan(_change(before=before, after=after)))
        assert SECRET not in repr(plan)


@pytest.mark.parametrize(
    "value",
    [
        {"secret_id": "x"}, {"kms_key_id": "x"}, {"secret_arn": "arn:aws:x"}, {"password_length": 12}, {"hash_key": "id"},
        {"manage_master_user_password": True}, {"secret": "projects/p/secrets/s"}, {"tags": {"key": "x", "value": "y"}},
    ],
)  # fmt: skip
def test_what_only_mentions_a_secret_stays_readable(value: Any) -> None:
    assert read_plan(_plan(_change(after=value))).changes[0].after == value


_MARKS = st.recursive(
    st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("text"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


def _with_secret(value: Any, marks: Any) -> Any:
    """Put the secret wherever a mark says so."""
    if marks is True:
        return [SECRET, {"x": SECRET}]
    if isinstance(value, dict) and isinstance(marks, dict):
        return {name: _with_secret(inner, marks.get(name)) for name, inner in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [_with_secret(inner, marks[n] if n < len(marks) else None) for n, inner in enumerate(value)]
    return value


@given(_VALUES, _VALUES, _MARKS, _MARKS, _MARKS)
def test_no_sensitive_value_survives_whatever_the_shapes(
    before: Any, after: Any, was: Any, will: Any, unknown: Any
) -> None:
    seen = hide(
        _with_secret(before, was),
        _with_secret(after, will),
        before_sensitive=was,
        after_sensitive=will,
        unknown=unknown,
    )
    assert SECRET not in repr(seen)


@given(_VALUES, _VALUES)
def test_without_marks_nothing_is_changed(before: Any, after: Any) -> None:
    assert hide(before, after) == (before, after)


@pytest.mark.parametrize(
    ("broken", "member"),
    [
        ({"resource_changes": {}}, "resource_changes"),
        ({"resource_changes": [1]}, "resource_changes[0]"),
        ({"resource_changes": [{"type": "x"}]}, "resource_changes[0].address"),
        ({"resource_changes": [{"address": "x.y"}]}, "resource_changes[0].type"),
        ({"resource_changes": [{"address": "x.y", "type": "x"}]}, "resource_changes[0].change"),
        (
            {"resource_changes": [_change(actions=()) | {"change": {"actions": "update"}}]},
            "resource_changes[0].change.actions",
        ),
        ({"resource_changes": [_change(before=[])]}, "resource_changes[0].change.before"),
        ({"resource_drift": [_change(after="x")]}, "resource_drift[0].change.after"),
        ({"resource_changes": [_change(), _change()]}, "aws_x.a"),
    ],
)
def test_a_broken_envelope_names_the_member(broken: dict[str, Any], member: str) -> None:
    with pytest.raises(PlanUnreadable) as caught:
        read_plan({**_plan(), **broken})
    assert caught.value.facts["member"] == member


CONFIGURATION = {
    "root_module": {
        "resources": [
            {"address": "aws_vpc.main", "expressions": {"cidr_block": {"constant_value": "10.0.0.0/16"}}},
            {
                "address": "aws_subnet.a",
                "expressions": {"vpc_id": {"references": ["aws_vpc.main.id", "aws_vpc.main"]}},
                "depends_on": ["module.app"],
            },
        ],
        "module_calls": {
            "app": {
                "expressions": {"net": {"references": ["aws_vpc.main.id", "aws_vpc.main"]}},
                "module": {
                    "resources": [
                        {
                            "address": "aws_instance.web",
                            "expressions": {
                                "subnet_id": {"references": ["var.net"]},
                                "block": [{"ami": {"references": ["data.aws_ami.x.id", "data.aws_ami.x"]}}],
                                "key": {"references": ["each.value", "local.y", "path.module"]},
                            },
                        },
                        {"address": "data.aws_ami.x", "mode": "data"},
                    ],
                    "outputs": {"id": {"expression": {"references": ["aws_instance.web[0].id", "aws_instance.web"]}}},
                },
            }
        },
    }
}


def test_references_are_followed_through_variables_and_outputs_of_modules() -> None:
    plan = read_plan(
        _plan(
            _change("aws_vpc.main"), _change("aws_subnet.a"), _change('module.app["x"].aws_instance.web[0]'), _change("aws_x.lone"),
            configuration=CONFIGURATION,
        )
    )  # fmt: skip
    assert plan.references is not None
    web = plan.references["module.app.aws_instance.web"]
    assert web["subnet_id"] == {"aws_vpc.main"}
    assert web["block"] == {"module.app.data.aws_ami.x"}
    assert plan.references["aws_subnet.a"]["*"] == {"module.app.aws_instance.web"}
    vpc, _, instance, lone = plan.changes
    assert plan.dependents(vpc) == ("aws_subnet.a", 'module.app["x"].aws_instance.web[0]')
    assert plan.dependents(instance) == ("aws_subnet.a",)
    assert plan.dependents(lone) == ()
    assert plan.referred(instance, "subnet_id") == (vpc,)
    assert plan.configured(vpc, "cidr_block")
    assert not plan.configured(vpc, "arn")


def test_modules_that_refer_to_each_other_in_a_circle_do_not_hang() -> None:
    circle = {"root_module": {"resources": [{"address": "a.b", "expressions": {"x": {"references": ["module.m.o"]}}}], "module_calls": {"m": {
        "expressions": {"v": {"references": ["module.m.o"]}}, "module": {"outputs": {"o": {"expression": {"references": ["var.v"]}}}}}}}}  # fmt: skip
    assert read_plan(_plan(configuration=circle)).references == {"a.b": {"x": frozenset(), "*": frozenset()}}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_MEMBERS = ["resource_changes", "resource_drift", "deferred_changes", "configuration", "checks", "output_changes", "relevant_attributes",
            "terraform_version", "complete", "errored"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(_MEMBERS), _JSON))
def test_no_document_breaks_the_reader(members: dict[str, Any]) -> None:
    with suppress(PlanUnreadable):
        read_plan({**_plan(), **json.loads(json.dumps(members))})
