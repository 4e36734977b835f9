"""Declared resources that no mapping covers: there, gone or not known, each told apart; throttling slows and does not fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from functions.scan.domain.resources import LiveResource, Unread
from functions.scan.domain.state import parse_state
from functions.scan.readers.aws import cloud_control
from functions.scan.readers.aws.cloud_control import Absent, Wanted, read_declared
from functions.scan.readers.aws.pace import Pace
from functions.scan.types.aws import DECLARABLE, SPECS
from functions.scan.types.aws.catalogue import CATALOGUE, READABLE
from tests.support.aws_replies import ACCOUNT, REGION, Replies

JOB, STAGE = Wanted("aws_glue_job", "nightly"), Wanted("aws_api_gateway_stage", "a1|live")
SCHEMAS = Path(cfnlint.__file__).parent / "data" / "schemas"


class Waits:
    """A clock that waiting moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def pace(self, per_second: float = 5.0, burst: int = 10) -> Pace:
        return Pace(per_second, burst, now=lambda: self.seconds, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def read(answer: Any, *wanted: Wanted, message: str = "", waits: Waits | None = None) -> tuple[list[Any], Replies]:
    replies = Replies({"cloudcontrol:GetResource": answer}, message=message)
    found = list(read_declared(replies.scope(), wanted or (JOB,), place=REGION, pace=(waits or Waits()).pace()))
    return found, replies


def model(**members: Any) -> dict[str, Any]:
    return {"TypeName": "x", "ResourceDescription": {"Identifier": "x", "Properties": json.dumps(members)}}


def test_what_is_there_comes_with_its_model() -> None:
    (found, other), replies = read(model(Name="nightly", MaxRetries=3), JOB, STAGE)
    assert isinstance(found, LiveResource)
    assert found.document == {"Name": "nightly", "MaxRetries": 3}
    assert isinstance(other, LiveResource)
    asked = {(wish["TypeName"], wish["Identifier"]) for _, _, wish in replies.asked}
    assert asked == {("AWS::Glue::Job", "nightly"), ("AWS::ApiGateway::Stage", "a1|live")}


def test_what_has_its_region_before_its_name_is_asked_for_by_the_name() -> None:
    wanted = Wanted("aws_glue_job", f"{REGION}|nightly")
    (found,), replies = read(model(Name="nightly"), wanted)
    assert isinstance(found, LiveResource)
    assert (found.key, found.cloud_id) == (f"{REGION}|nightly", "nightly")
    assert [wish["Identifier"] for _, _, wish in replies.asked] == ["nightly"]
    (gone,), _ = read("ResourceNotFoundException", wanted)
    assert gone == Absent("aws_glue_job", f"{REGION}|nightly"), "it is known by its match key again"


def test_what_is_gone_is_gone() -> None:
    assert read("ResourceNotFoundException")[0] == [Absent("aws_glue_job", "nightly")]


@pytest.mark.parametrize(
    ("answer", "reason", "permission"),
    [
        ("AccessDeniedException", "access_denied", "cloudformation:GetResource"), ("UnsupportedActionException", "unavailable", None),
        ("TypeNotFoundException", "unavailable", None), ("HandlerInternalFailureException", "unavailable", None),
        ({"TypeName": "x"}, "malformed", None), ({"ResourceDescription": {"Properties": "[]"}}, "malformed", None),
        ({"ResourceDescription": {"Properties": "<html>"}}, "malformed", None),
    ],
)  # fmt: skip
def test_any_other_answer_is_unknown_and_never_gone(answer: Any, reason: str, permission: str | None) -> None:
    (found,), _ = read(answer)
    assert isinstance(found, Unread)
    assert (found.key, found.reason, found.permission) == ("nightly", reason, permission)


def test_the_right_that_the_services_own_call_misses_is_named() -> None:
    text = "User: arn:aws:sts::1:x is not authorized to perform: glue:GetJob on resource: y"
    (found,), _ = read("GeneralServiceException", message=text)
    assert (found.reason, found.permission) == ("access_denied", "glue:GetJob")


def test_throttling_slows_down_and_does_not_fail() -> None:
    left = iter(["ThrottlingException"] * 3)
    waits = Waits()
    (found,), replies = read(lambda _wish: next(left, None) or model(Name="nightly"), waits=waits)
    assert isinstance(found, LiveResource)
    assert len(replies.asked) == 4
    assert waits.seconds >= 1 + 2 + 4


def test_throttling_without_an_end_is_unknown() -> None:
    (found,), _ = read("ThrottlingException")
    assert (found.reason, found.key) == ("throttled", "nightly")


def test_calls_keep_their_pace() -> None:
    waits = Waits()
    pace = waits.pace(per_second=5, burst=10)
    for _ in range(60):
        pace.take()
    assert waits.seconds == pytest.approx(10)


def test_the_number_is_bounded_and_the_rest_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud_control, "MOST_READ", 4)
    wanted = [Wanted("aws_glue_job", str(number)) for number in range(7)]
    replies = Replies({"cloudcontrol:GetResource": "ResourceNotFoundException"})
    found = list(read_declared(replies.scope(), wanted, place=REGION, pace=Waits().pace()))
    assert [item.key for item in found if isinstance(item, Unread)] == ["4", "5", "6"]
    assert len(replies.asked) == 4


def test_the_catalogue_is_what_cloudformation_says() -> None:
    known = json.loads((SCHEMAS / "providers" / "us-east-1.json").read_text("utf-8"))
    for item in CATALOGUE.values():
        if not item.cloud_formation:
            continue
        name = f"AWS::{item.cloud_formation}"
        assert name in known, f"CloudFormation has no {name}"
        schema = json.loads((SCHEMAS / "resources" / f"{known[name]}.json").read_text("utf-8"))
        if item.identifier:
            assert len(item.identifier) == len(schema["primaryIdentifier"]), name
            assert "read" in schema["handlers"], f"{name} cannot be read"
    assert len(READABLE) >= 150


def test_a_state_tells_identifiers_and_what_it_does_not_tell_has_none() -> None:
    def resource(kind: str, **attributes: Any) -> dict[str, Any]:
        return {
            "mode": "managed",
            "type": kind,
            "name": "x",
            "provider": "p",
            "instances": [{"attributes": attributes}],
        }

    resources = [
        resource("aws_eks_addon", cluster_name="c1", addon_name="dns", arn=f"arn:aws:eks:{REGION}:{ACCOUNT}:addon/c1/dns/1"),
        resource("aws_codedeploy_app", id="a1:nightly", name="nightly", arn=f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:application:nightly"),
        resource("aws_eks_addon", cluster_name="c1"), resource("aws_unheard_of", id="x"),
    ]  # fmt: skip
    document = {"version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.9.0", "resources": resources}
    keys = [item.key for item in parse_state(json.dumps(document).encode(), DECLARABLE).declared]
    assert keys == [f"{REGION}|c1|dns", f"{REGION}|nightly", None, None]
    told = {str(item["type"]) for item in resources} - {"aws_unheard_of"}
    assert told <= set(READABLE) - set(SPECS), "a type of the table has readers of its own now"
    assert not set(READABLE) & set(SPECS) or all(DECLARABLE[name] is SPECS[name] for name in set(READABLE) & set(SPECS))
