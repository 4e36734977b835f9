"""The demo account: a fresh one shows no drift, and its stories are reported as exactly what they are."""

from __future__ import annotations

from local_emulator.demo_changes import CHANGES
from tests.support.aws_account import clients, drifts, load_state, replayed_account, scan


def test_slugs_are_unique() -> None:
    slugs = [change.slug for change in CHANGES]
    assert len(slugs) == len(set(slugs))


def test_every_kind_of_drift_is_told() -> None:
    assert {finding.kind for change in CHANGES for finding in change.findings} == {"missing", "unmanaged", "changed"}


def test_a_fresh_account_is_in_sync_and_every_story_is_reported() -> None:
    with replayed_account("demo") as endpoint:
        state = load_state("demo", endpoint)
        assert drifts(state, scan(endpoint)) == set()
        expected = {
            finding: change.slug for change in CHANGES for finding in change.expected(change.apply(clients(endpoint)))
        }
        found = drifts(state, scan(endpoint))
        assert found - expected.keys() == set(), "nobody's story"
        assert {expected[finding] for finding in expected.keys() - found} == set(), "stories that went unseen"
