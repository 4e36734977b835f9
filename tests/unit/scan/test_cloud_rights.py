"""What customers grant in Google Cloud and Azure is what the readers call, reads only, and opens no contents."""

from __future__ import annotations

import json
import re
from pathlib import Path

from functions.scan.readers.azure.actions import CONTENTS, EVERYTHING, FURTHER, needed
from functions.scan.readers.azure.client import GRAPH as GRAPH_PATH
from functions.scan.readers.azure.rights import Rights, unreadable
from functions.scan.readers.gcp import inventory
from functions.scan.readers.gcp.logs import PERMISSION as ATTRIBUTION
from functions.scan.readers.gcp.rights import QUOTA, READING, SERVICES
from functions.scan.types.azure import BY_ARM
from infra.build.customer_rights import ROOT

MODULES = ROOT / "terraform" / "customer"
READERS = ROOT / "functions" / "scan" / "readers"


def _sources(folder: str) -> str:
    return "".join(path.read_text("utf-8") for path in (READERS / folder).glob("*.py"))


def test_googles_role_has_a_permission_for_each_listing_and_the_audit_log() -> None:
    assert set(READING) == {*inventory.PERMISSIONS.values(), ATTRIBUTION}
    assert all(re.fullmatch(r"[a-z]+\.[A-Za-z]+\.list[A-Za-z]*", name) for name in READING)
    assert QUOTA not in READING, "it belongs to the project that calls count on"


def test_every_host_that_is_asked_at_google_is_an_api_to_enable() -> None:
    hosts = set(re.findall(r"https://([a-z]+\.googleapis\.com)/v", _sources("gcp")))
    assert hosts == set(SERVICES)


def test_azures_list_of_actions_shows_every_mapped_type() -> None:
    rights = Rights(((needed(), CONTENTS),))
    assert unreadable(rights, BY_ARM) == {}
    assert all(rights.may(action) for action in FURTHER)
    assert all(action.lower().endswith("/read") for action in needed())


def test_reading_everything_covers_the_list_and_leaves_out_contents() -> None:
    rights = Rights((((EVERYTHING,), CONTENTS),))
    assert [action for action in needed() if not rights.may(action)] == []
    for action in (
        "Microsoft.OperationalInsights/workspaces/sharedKeys/read",
        "Microsoft.OperationalInsights/workspaces/query/SecurityEvent/read",
        "Microsoft.DocumentDB/databaseAccounts/readonlykeys/read",
        "Microsoft.Insights/Logs/AzureActivity/Read",
        "Microsoft.Storage/storageAccounts/listKeys/action",
    ):
        assert not rights.may(action)


def test_every_provider_that_azures_readers_name_is_granted() -> None:
    named = {name.lower() for name in re.findall(r"/providers/(Microsoft\.[A-Za-z]+/[A-Za-z]+)", _sources("azure"))}
    granted = {action.lower().removesuffix("/read") for action in needed()}
    assert GRAPH_PATH.split("?")[0].removeprefix("/providers/").lower() in named
    assert named - granted == set()


def test_the_modules_grant_what_the_files_say() -> None:
    def read(name: str) -> str:
        return (MODULES / name).read_text("utf-8")

    assert json.loads(read("gcp/read_permissions.json"))["permissions"] == list(READING)
    assert json.loads(read("azure/read_actions.json"))["mapped_types"] == list(needed())
    assert 'file("${path.module}/read_permissions.json")' in read("gcp/main.tf")
    assert 'file("${path.module}/read_actions.json")' in read("azure/main.tf")
    assert not re.findall(r"cloudasset\.assets|\"\*/read\"", read("gcp/main.tf") + read("azure/main.tf"))
    assert Path(MODULES / "aws" / "read_policies.json").exists()
