"""Which secret a config gets, which are live, and what a rotation leaves of the one before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from functions.webhook.domain.configs import Rotation, choose_secret, live_slots, rotate
from functions.webhook.errors import RotationUnderWay, SecretMalformed, SecretNotAccepted, SecretRequired
from shared.security.signatures import PROVIDERS, Provider, standard_key
from shared.testing.clock import FixedEntropy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THEIRS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAIN = "a-token-of-twenty-ch"


def config(**changes: Any) -> dict[str, Any]:
    return {
        "current_secret_encrypted": b"now", "previous_secret_encrypted": None, "previous_expires_at": None, "disabled_at": None,
        **changes,
    }  # fmt: skip


def choose(provider: str, given: str | None = None, *, is_needed: bool = False) -> Any:
    return choose_secret(cast("Provider", provider), given, FixedEntropy(), is_needed=is_needed)


@pytest.mark.parametrize("provider", ["atlantis", "github", "terraform_cloud", "gitlab", "standard"])
def test_a_secret_is_made_here_and_shown(provider: str) -> None:
    choice = choose(provider)
    assert choice.is_shown
    assert standard_key(choice.secret.reveal()) is not None


@pytest.mark.parametrize("provider", ["stripe", "slack"])
def test_a_provider_that_makes_its_own_secret_may_do_so_later_but_a_rotation_brings_it(provider: str) -> None:
    choice = choose(provider)
    assert (choice.secret, choice.is_shown) == (None, False)
    with pytest.raises(SecretRequired):
        choose(provider, is_needed=True)


@pytest.mark.parametrize("provider", ["stripe", "slack", "gitlab", "standard"])
def test_a_secret_that_the_provider_made_is_taken_and_not_shown(provider: str) -> None:
    choice = choose(provider, THEIRS, is_needed=True)
    assert (choice.secret.reveal(), choice.is_shown) == (THEIRS.encode(), False)


@pytest.mark.parametrize("provider", ["atlantis", "github", "terraform_cloud"])
def test_where_the_secret_is_made_here_no_other_is_taken(provider: str) -> None:
    with pytest.raises(SecretNotAccepted):
        choose(provider, THEIRS)


def test_a_secret_has_the_form_that_its_scheme_asks_for() -> None:
    assert choose("gitlab", PLAIN).secret.reveal() == PLAIN.encode(), "GitLab's older token is any text"
    for provider, given in (
        ("standard", PLAIN),
        ("standard", "whsec_dG9vc2hvcnQ="),
        ("gitlab", "whsec_not*base64*at*all"),
    ):
        with pytest.raises(SecretMalformed):
            choose(provider, given)


def test_every_provider_can_come_by_a_secret() -> None:
    for provider in PROVIDERS:
        assert choose(provider).secret is not None or choose(provider, THEIRS).secret is not None


def test_a_rotation_keeps_the_present_secret_for_the_grace() -> None:
    day = timedelta(days=1)
    assert rotate(config(), day, now=NOW) == Rotation(b"now", NOW + day)


def test_a_rotation_without_grace_keeps_nothing_whatever_is_under_way() -> None:
    under_way = config(previous_secret_encrypted=b"old", previous_expires_at=NOW + timedelta(hours=1))
    assert rotate(config(), timedelta(0), now=NOW) == rotate(under_way, timedelta(0), now=NOW) == Rotation(None, None)


def test_a_first_secret_takes_over_from_nothing() -> None:
    assert rotate(config(current_secret_encrypted=None), timedelta(days=1), now=NOW) == Rotation(None, None)


def test_at_most_two_secrets_are_live() -> None:
    under_way = config(previous_secret_encrypted=b"old", previous_expires_at=NOW + timedelta(seconds=1))
    with pytest.raises(RotationUnderWay) as refused:
        rotate(under_way, timedelta(days=1), now=NOW)
    assert refused.value.facts["previous_expires_at"] == (NOW + timedelta(seconds=1)).isoformat()
    over = under_way | {"previous_expires_at": NOW}
    assert rotate(over, timedelta(days=1), now=NOW).previous_secret_encrypted == b"now"


def test_the_old_secret_is_live_until_its_grace_ends_and_not_a_moment_longer() -> None:
    ends_at = NOW + timedelta(hours=1)
    rotated = config(previous_secret_encrypted=b"old", previous_expires_at=ends_at)
    both = {"current": b"now", "previous": b"old"}
    assert live_slots(rotated, now=NOW) == live_slots(rotated, now=ends_at - timedelta(microseconds=1)) == both
    assert live_slots(rotated, now=ends_at) == {"current": b"now"}
    assert list(live_slots(rotated, now=NOW)) == ["current", "previous"]


def test_a_disabled_config_and_one_without_a_secret_let_nobody_in() -> None:
    assert live_slots(config(disabled_at=NOW), now=NOW) == {}
    assert live_slots(config(current_secret_encrypted=None), now=NOW) == {}
