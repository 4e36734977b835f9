"""What is read of a run's notification and of where its configuration comes from; whatever stands there, nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest

from functions.analyze.domain.runs import choose_connection, ci_of, read_notice
from functions.analyze.errors import PlanUnreadable
from functions.analyze.models.analyses import CiFacts

NOTICE = {
    "run_id": "run-Ab12", "organization_name": "Acme", "run_url": "https://app.terraform.io/app/Acme/x/runs/run-Ab12",
    "notifications": [{"trigger": "run:completed", "run_status": "applied"}],
}  # fmt: skip


def run_with(**attributes: Any) -> dict[str, Any]:
    found = {name.replace("_", "-"): value for name, value in attributes.items()}
    return {"data": {}, "included": [{"type": "other"}, {"type": "ingress-attributes", "attributes": found}]}


def test_a_notice_is_read() -> None:
    found = read_notice(NOTICE)
    assert (found.run_id, found.organisation, found.host, found.is_applied) == (
        "run-Ab12",
        "acme",
        "app.terraform.io",
        True,
    )
    assert not read_notice({**NOTICE, "notifications": [{"run_status": "planned"}]}).is_applied


@pytest.mark.parametrize("odd", [None, [], {}, "x", 7, [None], [[]], [{"run_status": 1}]])
def test_odd_notifications_break_nothing(odd: Any) -> None:
    assert not read_notice({**NOTICE, "notifications": odd, "run_url": odd}).is_applied


@pytest.mark.parametrize(
    "odd", [None, "", "run-", "run-a/b", "run-..", "run-a\n", "RUN-a", 7, ["run-a"], "run-" + "a" * 65]
)
def test_what_is_no_run_is_refused(odd: Any) -> None:
    with pytest.raises(PlanUnreadable):
        read_notice({**NOTICE, "run_id": odd})


def test_a_connection_is_of_the_same_organisation_and_host() -> None:
    ours = {"kind": "terraform_cloud", "owner": "acme", "url": "https://app.terraform.io"}
    others = [{**ours, "kind": "gitlab"}, {**ours, "owner": "acm"}, {**ours, "url": "https://tfe.example"}]
    assert choose_connection([*others, ours], read_notice(NOTICE)) == ours
    assert choose_connection(others, read_notice(NOTICE)) is None
    assert choose_connection([ours, dict(ours)], read_notice(NOTICE)) is None


def test_facts_are_read_from_what_was_included() -> None:
    found = ci_of(run_with(
        identifier="group/team/infra", branch="b", clone_url="https://git.example/group/team/infra", commit_sha="0123abc", pull_request_number=7,
        sender_username="ada",
    ))  # fmt: skip
    assert found == {
        "repo_owner": "group/team", "repo_name": "infra", "repo_url": "https://git.example/group/team/infra", "branch": "b",
        "commit_sha": "0123abc", "pr_number": 7, "actor": "ada",
    }  # fmt: skip


@pytest.mark.parametrize("odd", [None, "", "x" * 1000, 7, -1, 0, True, [], {}, "é", "a/b/c"])
def test_odd_facts_are_left_out_and_the_rest_is_valid(odd: Any) -> None:
    names = ("identifier", "branch", "clone_url", "commit_sha", "pull_request_number", "sender_username")
    CiFacts.model_validate(ci_of(run_with(**dict.fromkeys(names, odd))))


@pytest.mark.parametrize(
    "odd", [None, [], "x", {}, {"included": None}, {"included": [None, 7, {}, {"type": "ingress-attributes"}]}]
)
def test_a_run_without_facts_has_none(odd: Any) -> None:
    assert ci_of(odd) == {}
