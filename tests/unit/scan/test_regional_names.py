"""Names that are unique within a region only: each region's thing is held against its own declaration, and never guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from functions.scan.domain.attribution import Question, names_of
from functions.scan.domain.comparison import Sides, Tally, compare
from functions.scan.domain.regional import placed_gap, placed_live, without_region
from functions.scan.domain.resources import Declared, LiveResource, NotChecked, Parent, Unread
from functions.scan.domain.shards import GLOBAL
from functions.scan.domain.state import parse_state
from functions.scan.fixing.importing import build_import
from functions.scan.readers.aws import SERVICES
from functions.scan.readers.aws.base import Listing, Scope, collect
from functions.scan.types.aws import DECLARABLE, SPECS
from functions.scan.types.import_rules import Source
from shared.testing.clock import FakeClock
from tests.support.aws_account import FIXTURES

ACCOUNT, HOME, FAR, OFF = "123456789012", "us-east-1", "eu-west-1", "af-south-1"
RECORDER, CHANNEL, KEY, POLICY = (
    "aws_config_configuration_recorder", "aws_config_delivery_channel", "aws_kms_key", "aws_kms_key_policy",
)  # fmt: skip
PROVIDER = 'provider["registry.terraform.io/hashicorp/aws"]'


def resource(kind: str, name: str = "x", provider: str = PROVIDER, **attributes: Any) -> dict[str, Any]:
    instance = {"schema_version": 0, "attributes": attributes}
    return {"mode": "managed", "type": kind, "name": name, "provider": provider, "instances": [instance]}


def evidence(region: str, provider: str = PROVIDER) -> dict[str, Any]:
    """Something else that the provider made, with an ARN."""
    arn = f"arn:aws:sns:{region}:{ACCOUNT}:t"
    return resource("aws_sns_topic", f"t_{region}".replace("-", "_"), provider, id=arn, arn=arn)


def declared(*resources: dict[str, Any]) -> tuple[Declared, ...]:
    document = {"version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.9.0", "resources": resources}
    return parse_state(json.dumps(document).encode(), DECLARABLE).declared


def only(kind: str, *resources: dict[str, Any]) -> Declared:
    (found,) = (item for item in declared(*resources) if item.type == kind)
    return found


def live(kind: str, key: str, region: str, parent: Parent | None = None, **attributes: Any) -> LiveResource:
    """A resource as a listing hands it on."""
    found = LiveResource(kind, key, region, attributes, f"{region} {key}", parent=parent)
    return placed_live(found, SPECS)


def recorder(region: str, role: str = "r") -> LiveResource:
    return live(RECORDER, "default", region, role_arn=role)


def found(
    state: Iterable[Declared],
    running: Iterable[LiveResource],
    *,
    regions: Sequence[str] = (HOME, FAR),
    unread: Sequence[Unread] = (),
    not_checked: Sequence[NotChecked] = (),
    tally: Tally | None = None,
) -> set[tuple[str, str, str | None]]:
    sides = Sides(
        ACCOUNT,
        frozenset(regions),
        [item for item in state if item.type != "aws_sns_topic"],
        running,
        unread,
        not_checked,
    )
    return {(item.kind, item.address or item.key, item.region) for item in compare(sides, SPECS, tally)}


# --- Which names these are --------------------------------------------------------------------------------------------

_MADE_BY_AWS = re.compile(
    r"^(?:[a-z]+(?:-[a-z]+)*-[0-9a-f]{8,17}|[0-9a-z]{8}|[0-9a-z]{10}|[0-9a-z]{26}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\||$)"
)


@pytest.mark.parametrize("group", sorted(path.parent.name for path in FIXTURES.glob("*/state.json")))
def test_no_key_of_one_region_is_that_of_another(group: str) -> None:
    """The same configuration applied in another region: only what AWS draws at random may be called the same."""
    content = (
        (FIXTURES / group / "state.json")
        .read_text(encoding="utf-8")
        .replace("aws-endpoint.invalid", f"sqs.{HOME}.amazonaws.com")
    )
    here, there = (
        {(item.type, item.key) for item in parse_state(text.encode(), SPECS).declared if item.type in SPECS}
        for text in (content, content.replace(HOME, FAR))
    )
    same = {(kind, key) for kind, key in here & there if key is not None and not SPECS[kind].is_global}
    assert {name for name in same if not _MADE_BY_AWS.match(name[1])} == set()


def test_every_type_that_lies_in_no_region_says_so() -> None:
    listings = [listing for service in SERVICES for listing in service.listings]
    regional = {name for listing in listings if not listing.is_global for name in listing.types}
    worldwide = {name for listing in listings if listing.is_global for name in listing.types} - regional
    assert {name for name in regional | worldwide if SPECS[name].is_global} == worldwide


def test_readers_hand_on_keys_with_their_region() -> None:
    def read(scope: Scope) -> Any:
        yield LiveResource(RECORDER, "default", scope.region, {}, "default")
        yield Unread(CHANNEL, "default")
        yield LiveResource("aws_vpc", "vpc-1", scope.region, {}, "vpc-1")

    listing = Listing((RECORDER, CHANNEL, "aws_vpc"), read, ("config:DescribeConfigurationRecorders",))
    one, gap, vpc = collect(listing, Scope(ACCOUNT, FAR, "aws", lambda service: pytest.fail(f"nobody calls {service}")))
    assert isinstance(one, LiveResource)
    assert isinstance(gap, Unread)
    assert isinstance(vpc, LiveResource)
    assert (one.key, one.aliases) == (f"{FAR}|default", ((RECORDER, "default"),))
    assert (gap.key, vpc.key, vpc.aliases) == (f"{FAR}|default", "vpc-1", ())


def test_further_names_and_parents_get_their_region_too() -> None:
    function = f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:f"
    permission = LiveResource(
        "aws_lambda_permission", f"{function}||s", HOME, {}, "s", aliases=(("aws_lambda_permission", "f||s"),)
    )
    names = placed_live(permission, SPECS)
    assert names.key == f"{function}||s", "an ARN holds its region"
    assert {key for _, key in names.aliases} == {f"{HOME}|f||s", "f||s"}
    policy = live(POLICY, "mrk-1", FAR, Parent(KEY, "mrk-1", "policy"))
    assert (policy.key, policy.parent) == (f"{FAR}|mrk-1", Parent(KEY, f"{FAR}|mrk-1", "policy"))
    single = live(POLICY, "k-1", FAR, Parent(KEY, "k-1", "policy"))
    assert (single.key, single.parent) == ("k-1", Parent(KEY, "k-1", "policy"))


# --- Where a declared resource lies -----------------------------------------------------------------------------------


def test_the_attribute_tells_first_then_the_arn_then_what_else_the_provider_made() -> None:
    told = only("aws_autoscaling_schedule", evidence(HOME), resource(
        "aws_autoscaling_schedule", autoscaling_group_name="g", scheduled_action_name="s", region=OFF,
        arn=f"arn:aws:autoscaling:{FAR}:{ACCOUNT}:scheduledUpdateGroupAction:1"))  # fmt: skip
    assert (told.region, told.key) == (OFF, f"{OFF}|g|s")
    of_arn = only("aws_autoscaling_schedule", evidence(HOME), resource(
        "aws_autoscaling_schedule", autoscaling_group_name="g", scheduled_action_name="s",
        arn=f"arn:aws:autoscaling:{FAR}:{ACCOUNT}:scheduledUpdateGroupAction:1"))  # fmt: skip
    assert (of_arn.region, of_arn.key) == (FAR, f"{FAR}|g|s")
    of_provider = only(RECORDER, evidence(HOME), resource(RECORDER, id="default"))
    assert (of_provider.region, of_provider.key) == (HOME, f"{HOME}|default")


def test_providers_are_told_apart_by_alias_and_module() -> None:
    there, module = f"{PROVIDER}.far", f"module.m.{PROVIDER}"
    items = declared(
        evidence(HOME), evidence(FAR, there), evidence(OFF, module),
        *(resource(RECORDER, name, provider, id="default") for name, provider in (("a", PROVIDER), ("b", there), ("c", module))),
    )  # fmt: skip
    assert [item.key for item in items if item.type == RECORDER] == [f"{name}|default" for name in (HOME, FAR, OFF)]


def test_an_instance_may_name_a_provider_of_its_own() -> None:
    made = resource(RECORDER, id="default")
    made["instances"][0]["provider"] = f'{PROVIDER}.all["far"]'
    assert only(RECORDER, evidence(HOME), evidence(FAR, f'{PROVIDER}.all["far"]'), made).region == FAR


@pytest.mark.parametrize(
    "others",
    [
        (),
        (evidence(HOME), evidence(FAR)),  # it made things in two regions
        (evidence(HOME, f"{PROVIDER}.other"),),
        (resource("aws_iam_role", id="r", name_="r", arn=f"arn:aws:iam::{ACCOUNT}:role/r"),),
        (resource("aws_cloudwatch_event_target", rule="r", target_id="t", arn=f"arn:aws:sqs:{FAR}:{ACCOUNT}:q"),),
    ],
)
def test_a_region_that_is_not_certain_is_not_told(others: tuple[dict[str, Any], ...]) -> None:
    item = only(RECORDER, *others, resource(RECORDER, id="default", region="everywhere"))
    assert (item.region, item.key) == (None, "default")


def test_what_lies_in_no_region_gets_none_from_its_provider() -> None:
    attached = resource("aws_iam_user_policy_attachment", user="u", policy_arn=f"arn:aws:iam::{ACCOUNT}:policy/p")
    bucket = resource("aws_s3_bucket", id="b", bucket="b", arn="arn:aws:s3:::b", region=OFF)
    state = declared(evidence(OFF), attached, bucket)
    assert [item.region for item in state] == [OFF, None, None]
    assert {name[:2] for name in found(state, [])} == {
        ("missing", "aws_iam_user_policy_attachment.x"), ("missing", "aws_s3_bucket.x"),
    }  # fmt: skip


def test_what_its_provider_made_in_a_region_that_is_not_scanned_is_not_missing() -> None:
    tally = Tally()
    assert found(declared(evidence(OFF), resource(RECORDER, id="default")), [recorder(HOME, "r")], tally=tally) == {
        ("unmanaged", f"{HOME}|default", HOME)
    }
    assert tally.out_of_scope == 1


# --- The comparison ---------------------------------------------------------------------------------------------------


def _both() -> tuple[Declared, ...]:
    there = f"{PROVIDER}.far"
    return declared(
        evidence(HOME), evidence(FAR, there), resource(RECORDER, "here", id="default", role_arn="r"),
        resource(RECORDER, "there", there, id="default", role_arn="r"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        ([recorder(HOME), recorder(FAR)], set()),
        ([recorder(HOME, "other"), recorder(FAR)], {("changed", f"{RECORDER}.here", HOME)}),
        ([recorder(HOME), recorder(FAR, "other")], {("changed", f"{RECORDER}.there", FAR)}),
        ([recorder(HOME)], {("missing", f"{RECORDER}.there", FAR)}),
        ([recorder(HOME), recorder(FAR), recorder(OFF)], {("unmanaged", f"{OFF}|default", OFF)}),
    ],
)
def test_each_region_is_held_against_its_own(
    running: list[LiveResource], expected: set[tuple[str, str, str | None]]
) -> None:
    assert found(_both(), running, regions=(HOME, FAR, OFF)) == expected


def test_without_a_region_the_only_one_of_that_name_is_compared() -> None:
    state = declared(resource(RECORDER, id="default", role_arn="r"))
    assert found(state, [recorder(FAR)]) == set()
    assert found(state, [recorder(FAR, "other")]) == {("changed", f"{RECORDER}.x", FAR)}
    assert found(state, []) == {("missing", f"{RECORDER}.x", None)}


@pytest.mark.parametrize("role", ["r", "other"])
def test_without_a_region_several_of_that_name_show_nothing(role: str) -> None:
    tally = Tally()
    assert (
        found(
            declared(resource(RECORDER, id="default", role_arn="r")), [recorder(HOME, role), recorder(FAR)], tally=tally
        )
        == set()
    )
    assert (tally.not_checked, tally.compared, tally.ambiguous) == (1, 0, {RECORDER: 1})


def test_without_a_region_nothing_is_said_while_a_region_could_not_be_listed() -> None:
    gap = NotChecked((RECORDER,), HOME, "throttled")
    state = declared(resource(RECORDER, id="default", role_arn="r"))
    assert found(state, [recorder(FAR, "other")], not_checked=[gap]) == set()
    assert found(_both(), [recorder(FAR, "other")], not_checked=[gap]) == {("changed", f"{RECORDER}.there", FAR)}


def test_two_declarations_without_a_region_are_not_held_against_one() -> None:
    state = declared(
        resource(RECORDER, "a", id="default", role_arn="r"), resource(RECORDER, "b", id="default", role_arn="other")
    )
    assert found(state, [recorder(HOME)]) == set()
    assert found(state, [recorder(HOME)], regions=(HOME,)) == {("changed", f"{RECORDER}.b", HOME)}, "there is no other"


def test_a_state_that_was_taken_in_with_bare_names_is_matched_by_its_region() -> None:
    old = Declared(f"{RECORDER}.x", RECORDER, "default", {"role_arn": "r"}, region=FAR)
    assert found([old], [recorder(HOME, "other"), recorder(FAR)]) == {("unmanaged", f"{HOME}|default", HOME)}
    assert found([old], [recorder(HOME), recorder(FAR, "other")]) == {
        ("changed", f"{RECORDER}.x", FAR), ("unmanaged", f"{HOME}|default", HOME),
    }  # fmt: skip


def test_what_could_not_be_read_in_a_region_is_not_missing_there() -> None:
    gap = placed_gap(Unread(RECORDER, "default"), FAR, SPECS)
    assert found(_both(), [recorder(HOME)], unread=[gap]) == set()
    assert found(declared(resource(RECORDER, id="default", role_arn="r")), [], unread=[gap]) == set()


def test_a_policy_of_its_own_takes_over_in_its_region_or_in_all_when_that_is_open() -> None:
    def running(region: str) -> list[LiveResource]:
        return [
            live(KEY, "mrk-1", region, policy='{"Statement": ["live"]}'),
            live(POLICY, "mrk-1", region, Parent(KEY, f"{region}|mrk-1", "policy"), policy='{"Statement": ["live"]}'),
        ]

    keys = [
        resource(KEY, name, id="mrk-1", arn=f"arn:aws:kms:{region}:{ACCOUNT}:key/mrk-1", policy="{}")
        for name, region in (("here", HOME), ("there", FAR))
    ]
    both = [*running(HOME), *running(FAR)]
    changed = {("changed", f"{KEY}.here", HOME), ("changed", f"{KEY}.there", FAR)}
    assert found(declared(*keys), [item for item in both if item.type == KEY]) == changed
    own = resource(
        POLICY, "own", "p", key_id=f"arn:aws:kms:{FAR}:{ACCOUNT}:key/mrk-1", policy='{"Statement": ["live"]}'
    )
    assert found(declared(*keys, own), both) >= {("changed", f"{KEY}.here", HOME)}
    assert ("changed", f"{KEY}.there", FAR) not in found(declared(*keys, own), both)
    bare = resource(POLICY, "own", "p", key_id="mrk-1", policy='{"Statement": ["live"]}')
    assert found(declared(*keys, bare), both) == set()


# --- Where the cloud's own name is needed -----------------------------------------------------------------------------


def test_an_import_block_names_it_as_the_cloud_does() -> None:
    key = live("aws_cloudwatch_event_target", "default|nightly|ledger", FAR).key
    made = build_import("aws_cloudwatch_event_target", Source(without_region(key, FAR), "x", {}, {}))
    assert made.id == "default/nightly/ledger"


def test_calls_are_looked_for_under_the_cloud_s_own_name() -> None:
    now = FakeClock().now()
    question = Question("unmanaged", RECORDER, f"{FAR}|default", "default", FAR, None, now, None)
    assert names_of(question) == ("default",)
    assert without_region("default", None) == without_region("default", GLOBAL) == "default"
