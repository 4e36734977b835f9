"""A reading of Azure that goes on in turns finds what one at once finds: nothing twice, nothing lost, whatever ends a turn."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest

from functions.scan.domain.resources import LiveResource, NotChecked
from functions.scan.readers.azure.client import GRAPH, Arm, ArmReply, CallFailed
from functions.scan.readers.azure.graph import MOST_RESTARTS, REMEMBERED, Place, pages_of, rows_of
from functions.scan.readers.azure.reading import Finding, Mark, Unmapped, read_on
from functions.scan.types.azure import BY_ARM
from tests.support.azure_account import QUOTA, SUBSCRIPTION, WINDOW_SECONDS, AzureAccount, load, names, reply

QUERY = "resources | project id | order by id asc"
MOST_KEPT = 20_000  # characters; what the column of a shard's progress takes
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/applicationSecurityGroups"


def asg(name: str) -> dict[str, Any]:
    return {
        "id": f"{GROUP}/{name}",
        "name": name,
        "type": "microsoft.network/applicationsecuritygroups",
        "location": "global",
    }


def told(item: Finding) -> tuple[str, ...]:
    """Say what a finding is, with what lies where."""
    if isinstance(item, LiveResource):
        return (item.type, item.key, str(item.parent), str(item.cloud_made))
    return (type(item).__name__, item.cloud_id if isinstance(item, Unmapped) else repr(item))


def kept(mark: Mark) -> Mark:
    """Return a mark as the next turn gets it."""
    text = json.dumps(asdict(mark))
    assert len(text) <= MOST_KEPT
    return Mark.of(json.loads(text))


def turn(account: AzureAccount, mark: Mark | None, marks: int = 1) -> tuple[list[Finding], Mark | None]:
    """Read until so many marks were passed; returns what was found, and where the next turn goes on."""
    found: list[Finding] = []
    for item in read_on(Arm(account, account.clock), SUBSCRIPTION, mark):
        if not isinstance(item, Mark):
            found.append(item)
        elif (marks := marks - 1) == 0:
            return found, kept(item)
    return found, None


def in_turns(account: AzureAccount) -> Iterator[list[Finding]]:
    """Read a subscription, one turn for each mark."""
    found, mark = turn(account, None)
    yield found
    while mark is not None:
        found, mark = turn(account, mark)
        yield found


@cache
def estate() -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """Return the fixtures as one subscription, in the order of ids, as Resource Graph gives it."""
    estates = [load(name) for name in names() if not name.startswith("documented_version")]
    rows = {str(row["id"]).lower(): row for one in estates for row in one.rows}
    return [rows[key] for key in sorted(rows)], {path: items for one in estates for path, items in one.lists.items()}


def account(page_rows: int = 3) -> AzureAccount:
    rows, lists = estate()
    return AzureAccount(list(rows), lists, page_rows=page_rows)


def at_once() -> Counter[tuple[str, ...]]:
    found, mark = turn(account(1000), None, marks=10**6)
    assert mark is None
    return Counter(map(told, found))


def test_turns_find_what_one_reading_finds_and_nothing_twice() -> None:
    turns = list(in_turns(account()))
    assert len(turns) > 60, "a page is a turn"
    assert Counter(told(item) for found in turns for item in found) == at_once()


def test_a_turn_that_is_killed_is_made_again_from_where_the_last_one_ended() -> None:
    """What the killed turn stored is stored again; nothing is lost, and nothing else is there twice."""
    cloud = account()
    found, mark = turn(cloud, None, marks=4)
    killed: list[Finding] = []
    for item in read_on(Arm(cloud, cloud.clock), SUBSCRIPTION, mark):
        killed += [] if isinstance(item, Mark) else [item]
        if len(killed) == 7:
            break  # the process is gone: no mark of this turn was kept
    after: list[Finding] = []
    while mark is not None:
        more, mark = turn(cloud, mark)
        after += more
    assert Counter(map(told, [*found, *after])) == at_once()
    assert set(map(told, killed)) <= set(map(told, after))


def test_what_hangs_on_a_machine_knows_it_in_a_later_turn() -> None:
    """Where ARM types have several Terraform types, what lies below must know which one."""
    machine = {
        "id": f"{GROUP.replace('Network/applicationSecurityGroups', 'Compute/virtualMachines')}/w",
        "name": "w",
        "type": "microsoft.compute/virtualmachines",
        "location": "westeurope",
        "properties": {"storageProfile": {"osDisk": {"osType": "Windows"}}},
    }
    extension = {**machine, "id": f"{machine['id']}/extensions/x", "type": f"{machine['type']}/extensions"}
    found = [item for turn in in_turns(AzureAccount([machine, extension], page_rows=1)) for item in turn]
    (hangs,) = [item for item in found if isinstance(item, LiveResource) and item.parent]
    assert hangs.parent is not None
    assert hangs.parent.type == "azurerm_windows_virtual_machine"
    several = {arm for arm, items in BY_ARM.items() if len(items) > 1}
    assert {above for arm in BY_ARM for above in several if arm.startswith(f"{above}/")} == {
        "microsoft.compute/virtualmachines"
    }, "a query learns the machines anew in each turn; others need one as well"


def test_a_mark_from_before_there_were_places_is_still_understood() -> None:
    assert Mark.of({"steps": 3}) == Mark(3)


def test_a_mark_stays_small() -> None:
    rows = [asg(f"z{number:05}") for number in range(3 * REMEMBERED)]
    cloud = AzureAccount(rows, page_rows=2 * REMEMBERED)
    page = next(pages_of(Arm(cloud, cloud.clock), SUBSCRIPTION, QUERY))
    assert page.following
    assert len(page.following.last) == REMEMBERED
    longest = Mark(0, Place("t" * 8192, last=page.following.last))
    assert kept(longest) == longest


def test_a_token_that_is_too_long_to_keep_is_used_and_not_kept() -> None:
    pages = [
        reply(200, {"totalRecords": 2, "data": [asg("a")], "$skipToken": "t" * 9000}),
        reply(200, {"totalRecords": 2, "data": [asg("b")]}),
    ]
    cloud = AzureAccount([], before=lambda number, _m, _p, _b: pages[number - 1])
    found = list(pages_of(Arm(cloud, cloud.clock), SUBSCRIPTION, QUERY))
    assert [(len(page.rows), page.following) for page in found] == [(1, None), (1, None)]


class TestTokensThatAreOver:
    """Source: Azure Resource Provider contract, "GET pagination": a token that is not valid is answered 400."""

    @staticmethod
    def refusing(cloud: AzureAccount, times: int) -> list[str]:
        refused: list[str] = []

        def before(_n: int, _m: str, path: str, body: dict[str, Any]) -> ArmReply | None:
            token = body.get("options", {}).get("$skipToken") if path == GRAPH else None
            if token and body["query"].startswith("resources | project") and len(refused) < times:
                refused.append(token)
                return reply(400, {"error": {"code": "BadRequest"}})
            return None

        cloud.before = before
        return refused

    def test_the_table_begins_anew(self) -> None:
        cloud = account()
        found, mark = turn(cloud, None, marks=3)
        assert mark is not None
        refused = self.refusing(cloud, 1)
        after, following = turn(cloud, mark, marks=10**6)
        assert len(refused) == 1
        assert following is None
        whole = at_once()
        assert Counter(map(told, after)) + Counter(map(told, found)) >= whole
        assert set(map(told, [*found, *after])) == set(whole)
        assert not [item for item in after if isinstance(item, NotChecked)]

    def test_patience_ends_and_nothing_is_concluded(self) -> None:
        cloud = account()
        refused = self.refusing(cloud, 10**6)
        found, mark = turn(cloud, None, marks=10**6)
        assert mark is None
        gaps = [item for item in found if isinstance(item, NotChecked)]
        assert {"azurerm_virtual_network", "azurerm_mssql_firewall_rule"} <= {
            kind for gap in gaps for kind in gap.types
        }
        assert {gap.reason for gap in gaps} == {"unavailable"}
        assert len(refused) == MOST_RESTARTS + 1

    def test_turns_in_which_every_token_is_over_come_to_an_end(self) -> None:
        cloud = account()
        found, mark = turn(cloud, None)
        turns = 1
        while mark is not None and mark.steps == 0:
            self.refusing(cloud, 1)
            found, mark = turn(cloud, mark)
            turns += 1
        assert turns == 1 + MOST_RESTARTS + 1
        assert "azurerm_virtual_network" in {
            kind for item in found if isinstance(item, NotChecked) for kind in item.types
        }

    def test_a_first_page_that_is_refused_is_not_asked_for_again(self) -> None:
        cloud = AzureAccount([], before=lambda _n, _m, _p, _b: reply(400, {}))
        with pytest.raises(CallFailed, match="400"):
            list(rows_of(Arm(cloud, cloud.clock), SUBSCRIPTION, QUERY))
        assert len(cloud.calls) == 1


class TestPagesThatShift:
    """The pages of the fake are counted from the start, as bad as it may be."""

    @staticmethod
    def changed(cloud: AzureAccount, begin: Place | None, *rows: str) -> None:
        assert begin is not None
        cloud._tables["resources"] = [asg(name) for name in rows]

    @staticmethod
    def keys(rows: Any) -> list[str]:
        return [row["name"] for row in rows]

    def first_page(self) -> tuple[AzureAccount, Arm, Place | None]:
        cloud = AzureAccount([asg(name) for name in "bcdef"], page_rows=2)
        arm = Arm(cloud, cloud.clock)
        page = next(pages_of(arm, SUBSCRIPTION, QUERY))
        assert self.keys(page.rows) == ["b", "c"]
        return cloud, arm, page.following

    def test_what_slips_onto_a_page_that_was_read_is_found_by_another_pass(self) -> None:
        cloud, arm, following = self.first_page()
        self.changed(cloud, following, *"cdef")
        pages = list(pages_of(arm, SUBSCRIPTION, QUERY, following))
        assert self.keys(row for page in pages for row in page.rows) == ["e", "f", "d"]

    def test_what_comes_again_on_the_next_page_is_given_once(self) -> None:
        cloud, arm, following = self.first_page()
        self.changed(cloud, following, *"abcdef")
        pages = list(pages_of(arm, SUBSCRIPTION, QUERY, following))
        found = self.keys(row for page in pages for row in page.rows)
        assert found == ["d", "e", "f", "a"], "c came again, and a only in another pass"

    def test_a_table_that_never_rests_is_read_all_the_same(self) -> None:
        cloud = AzureAccount([asg(f"m{number:03}") for number in range(40)], page_rows=5)

        def before(number: int, _m: str, _p: str, _b: dict[str, Any]) -> None:
            cloud._tables["resources"] = [*(asg(f"a{more:03}") for more in range(number)), *cloud.rows]

        cloud.before = before
        found = self.keys(rows_of(Arm(cloud, cloud.clock), SUBSCRIPTION, QUERY))
        assert set(found) >= {row["name"] for row in cloud.rows}
        assert len(found) == len(set(found))

    def test_rows_that_never_add_up_are_no_answer(self) -> None:
        document = {"totalRecords": 3, "data": [asg("a")]}
        cloud = AzureAccount([], before=lambda _n, _m, _p, _b: reply(200, document))
        found: list[Any] = []
        with pytest.raises(CallFailed, match="told of 3 rows and gave 1"):
            found.extend(rows_of(Arm(cloud, cloud.clock), SUBSCRIPTION, QUERY))
        assert self.keys(found) == ["a"], "what was seen is there"


def test_a_hundred_thousand_resources_are_read_in_turns_within_the_quota() -> None:
    """Time passes by waiting only: nothing slows the queries down but the quota.

    Source: Azure Resource Graph documentation, "Guidance for throttled requests" (15 queries in 5 seconds).
    """
    atlas = {"type": "microsoft.maps/accounts", "location": "global"}
    cloud = AzureAccount([{**asg(f"z{number:06}"), **atlas} for number in range(100_000)])
    keys, count, turns, mark = set[str](), 0, 0, None
    while turns == 0 or mark is not None:
        found, mark = turn(cloud, mark, marks=30)
        turns += 1
        count += len(found)
        keys.update(item.key for item in found if isinstance(item, Unmapped))
    assert (count, len(keys)) == (100_000, 100_000)
    assert turns == 4
    pages, groups_and_scaling, roles, learned_anew = 100, 3 * turns, 1, 2 * (turns - 1)
    assert cloud.queries == pages + groups_and_scaling + roles + learned_anew
    assert cloud.refused == 0, "not one query was beyond the quota"
    windows = -(-cloud.queries // QUOTA)
    assert (windows - 1) * WINDOW_SECONDS <= cloud.clock.monotonic_seconds() <= windows * WINDOW_SECONDS + turns
