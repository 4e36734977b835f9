"""The texts by which a customer makes a feed, a topic and a push subscription."""

from __future__ import annotations

import re
import shlex

import pytest

from functions.scan.domain.feed_set_up import feed_set_up, project_of
from functions.scan.feed_models import PUSH_ACCOUNT as PATTERN
from tests.support.asset_feed import PUSH_ACCOUNT

ENDPOINT = "https://driftwise.example/api/v2/asset-feeds/0197f0a0-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("parent", "flags"),
    [
        ("projects/acme-shop", ["--project=acme-shop", "--billing-project=acme-security"]),
        ("folders/210987654321", ["--folder=210987654321", "--billing-project=acme-security"]),
        ("organizations/345678901234", ["--organization=345678901234", "--billing-project=acme-security"]),
    ],
)
def test_the_commands_make_both_feeds_and_a_subscription_whose_tokens_are_for_this_feed(
    parent: str, flags: list[str]
) -> None:
    commands = feed_set_up(parent, PUSH_ACCOUNT, ENDPOINT).commands
    lines = [shlex.split(line) for line in commands.replace("\\\n", "").splitlines() if not line.startswith("#")]
    feeds = [line for line in lines if line[:4] == ["gcloud", "asset", "feeds", "create"]]
    assert [word for line in feeds for word in line if word.startswith("--content-type")] == [
        "--content-type=resource",
        "--content-type=iam-policy",
    ]
    for line in feeds:
        assert {*flags, "--pubsub-topic=projects/acme-security/topics/driftwise-assets"} <= set(line)
    (subscription,) = [line for line in lines if line[:4] == ["gcloud", "pubsub", "subscriptions", "create"]]
    assert {
        f"--push-endpoint={ENDPOINT}",
        f"--push-auth-token-audience={ENDPOINT}",
        f"--push-auth-service-account={PUSH_ACCOUNT}",
    } <= set(subscription)


def test_the_types_that_are_watched_leave_kubernetes_objects_out() -> None:
    commands = feed_set_up("projects/acme-shop", PUSH_ACCOUNT, ENDPOINT).commands
    (types,) = set(re.findall(r"--asset-types='([^']+)'", commands))
    assert re.fullmatch(types, "storage.googleapis.com/Bucket")
    assert not re.fullmatch(types, "k8s.io/Pod")


def test_terraform_names_the_same_parent_and_endpoint() -> None:
    text = feed_set_up("projects/acme-shop", PUSH_ACCOUNT, ENDPOINT).terraform
    assert f'asset_feeds           = {{ "projects/acme-shop" = "{ENDPOINT}" }}' in text
    assert 'asset_feed_account_id = "driftwise-feed"' in text


def test_a_project_of_a_domain_is_named_as_google_names_it() -> None:
    assert project_of(PUSH_ACCOUNT) == "acme-security"
    assert project_of("driftwise-feed@old-shop.example.com.iam.gserviceaccount.com") == "example.com:old-shop"


@pytest.mark.parametrize(
    "text",
    [
        "x", "driftwise-feed@gmail.com", "driftwise-feed@acme.iam.gserviceaccount.com.evil.example", "a'b@acme-security.iam.gserviceaccount.com",
        "$(id)@acme-security.iam.gserviceaccount.com", "driftwise-feed@acme security.iam.gserviceaccount.com", PUSH_ACCOUNT + "\n",
    ],
)  # fmt: skip
def test_what_is_no_service_account_never_gets_into_a_text(text: str) -> None:
    assert re.fullmatch(PATTERN.removeprefix("^").removesuffix("$"), text) is None


def test_the_pattern_takes_service_accounts() -> None:
    assert re.fullmatch(PATTERN, PUSH_ACCOUNT)
    assert re.fullmatch(PATTERN, "driftwise-feed@old-shop.example.com.iam.gserviceaccount.com")
