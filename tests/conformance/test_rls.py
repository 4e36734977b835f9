"""Row-level security, judged by pgrls: clean, proven, and as reviewed. `python -m infra.lint.rls` is the same by hand."""

from __future__ import annotations

from infra.lint import rls
from tests.support.database import DatabaseServer


def test_row_level_security_is_clean_proven_and_as_reviewed(database_server: DatabaseServer) -> None:
    with database_server.clone() as database, database_server.clone() as copy:
        found = list(rls.problems(database.owner_url, copy.owner_url))
    assert not found, "\n" + "\n".join(found) + "\n(`python -m infra.lint.rls --write` writes a reviewed matrix)"


def test_a_table_without_policies_and_a_policy_that_lets_others_in_are_found(database_server: DatabaseServer) -> None:
    with database_server.clone() as database, database_server.clone() as copy:
        for clone in (database, copy):
            clone.owner.run("create table core.planted (org_id uuid, id uuid, primary key (org_id, id))")
            clone.owner.run("drop policy gaps_floor on scan.gaps")
            clone.owner.run("alter policy gaps_org on scan.gaps using (true)")
        found = "\n".join(rls.problems(database.owner_url, copy.owner_url))
    assert "SEC001 core.planted" in found
    assert "verify cross-tenant: core.planted is not looked at" in found
    assert "scan.gaps.gaps_org" in found
    assert "verify cross-tenant: scan.gaps is " in found
