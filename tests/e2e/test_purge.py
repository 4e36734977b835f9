"""The scheduled purges, in the processes and with the logins that they run with."""

from __future__ import annotations

from contextlib import closing

from tests.support.running_suite import RunningSuite


def test_old_rows_go_with_the_next_tick(emulator: RunningSuite) -> None:
    with closing(emulator.owner()) as owner:
        owner.run(
            "insert into core.event_claims (org_id, subscription, event_id, created_at) "
            "values (:org_id, 'old', 'old', now() - interval '1 year'), (:org_id, 'young', 'young', now())",
            org_id=emulator.org_id,
        )
        owner.run(
            "insert into core.sign_ins (state_hash, nonce, code_verifier, return_path, expires_at) "
            "values (sha256('old'), 'n', 'v', '/', now() - interval '1 hour')"
        )
        emulator.tick("purge")
        emulator.tick("sign-in-purge")
        claims = (
            "select subscription from core.event_claims where org_id = :org_id and subscription in ('old', 'young')"
        )
        assert owner.run(claims, org_id=emulator.org_id) == [["young"]]
        assert owner.run("select count(*) from core.sign_ins where state_hash = sha256('old')") == [[0]]
        owner.run("delete from core.event_claims where org_id = :org_id", org_id=emulator.org_id)
