"""What a plan would do to open drift, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from functions.analyze.domain.open_drift import DriftItem, drift_findings, link_drift
from shared.rules.plan import Change, Plan

ARN = "arn:aws:sqs:us-east-1:123456789012:jobs"
OTHER_ARN = "arn:aws:sqs:eu-west-1:123456789012:jobs"
ADDRESS = "aws_sqs_queue.jobs"


def item(**values: Any) -> DriftItem:
    """A changed queue."""
    given: dict[str, Any] = {
        "id": "1", "kind": "changed", "type": "aws_sqs_queue", "address": ADDRESS, "cloud_id": ARN, "path": "delay_seconds",
        "before": 2, "after": 1, "is_sensitive": False, "severity": "medium",
    }  # fmt: skip
    return DriftItem(**given | values)


def change(*actions: str, before: Any = None, after: Any = None, kind: str = "aws_sqs_queue", **more: Any) -> Change:
    """A change of that queue."""
    return Change(ADDRESS, kind, actions, before, after, **more)


BEFORE, AFTER = {"arn": ARN, "delay_seconds": 1}, {"arn": ARN, "delay_seconds": 2}
UPDATE = change("update", before=BEFORE, after=AFTER)


@pytest.mark.parametrize(
    ("planned", "drifted", "effect"),
    [
        (UPDATE, item(), "reverted"),
        (change("no-op", before=BEFORE, after=BEFORE), item(), "kept"),
        (change("update", before={**BEFORE, "tags": {}}, after={**BEFORE, "tags": {"a": "b"}}), item(), "kept"),
        (change("delete", "create", before=BEFORE, after=AFTER), item(), "replaced"),
        (change("create", "delete", before=BEFORE, after=AFTER), item(), "replaced"),
        (change("delete", before=BEFORE), item(), "deleted"),
        (change("create", after=AFTER), item(kind="missing", path=None), "recreated"),
        (change("no-op", before=BEFORE, after=BEFORE, is_import=True), item(kind="unmanaged", address=None), "adopted"),
    ],
)
def test_what_the_apply_would_do_to_a_drift(planned: Change, drifted: DriftItem, effect: str) -> None:
    [link] = link_drift(Plan((planned,)), [drifted])
    assert (link.effect, link.address) == (effect, ADDRESS)


@pytest.mark.parametrize(
    ("cloud_id", "expected"), [(ARN, [True]), (OTHER_ARN, []), (None, [False]), ("https://sqs/jobs", [False])]
)
def test_the_clouds_name_decides_whether_it_is_the_same_resource(cloud_id: str | None, expected: list[bool]) -> None:
    assert [link.is_certain for link in link_drift(Plan((UPDATE,)), [item(cloud_id=cloud_id)])] == expected


def test_a_drift_of_another_type_at_the_address_is_another_resource() -> None:
    assert link_drift(Plan((UPDATE,)), [item(type="aws_sns_topic")]) == []


def test_a_moved_resource_is_found_where_it_was() -> None:
    moved = Change("module.x.aws_sqs_queue.jobs", "aws_sqs_queue", ("update",), BEFORE, AFTER, previous_address=ADDRESS)
    [link] = link_drift(Plan((moved,)), [item()])
    assert link.address == "module.x.aws_sqs_queue.jobs"


def test_one_finding_for_each_resource_with_every_path() -> None:
    planned = Plan((change("update", before={**BEFORE, "name": "a"}, after={**AFTER, "name": "b"}),))
    links = link_drift(planned, [item(), item(id="2", path="name", before="b", after="a")])
    [found] = drift_findings(planned, links)
    assert (found.flag, found.severity) == ("drift-reverted", "medium")
    assert sorted((seen.path, seen.before, seen.after) for seen in found.evidence) == [
        ("delay_seconds", 1, 2),
        ("name", "a", "b"),
    ]


def test_what_the_plan_says_itself_is_not_said_twice() -> None:
    outside = Change(ADDRESS, "aws_sqs_queue", ("update",), AFTER, BEFORE)
    planned = Plan((UPDATE,), drift=(outside,))
    assert list(drift_findings(planned, link_drift(planned, [item()]))) == []


@pytest.mark.parametrize(
    ("kind", "actions", "severity"),
    [
        ("aws_db_instance", ("delete", "create"), "critical"),
        ("aws_db_instance", ("delete",), "critical"),
        ("aws_lambda_function", ("delete", "create"), "high"),
        ("aws_lambda_function", ("update",), "medium"),
    ],
)
def test_what_undoing_costs_decides_the_severity(kind: str, actions: tuple[str, ...], severity: str) -> None:
    after = None if actions == ("delete",) else AFTER
    planned = Plan((change(*actions, before=BEFORE, after=after, kind=kind),))
    [found] = drift_findings(planned, link_drift(planned, [item(type=kind)]))
    assert found.severity == severity


def test_a_hidden_value_counts_as_undone_when_it_changes() -> None:
    from shared.rules.values import SENSITIVE, SENSITIVE_CHANGED

    planned = change("update", before={"delay_seconds": SENSITIVE}, after={"delay_seconds": SENSITIVE_CHANGED})
    [link] = link_drift(Plan((planned,)), [item(is_sensitive=True, before="x", after="y")])
    assert link.effect == "reverted"
