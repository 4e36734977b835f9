"""Every query function of every function folder, called in one organisation with the ids of another.

The functions are found by importing; one with arguments that nobody taught this test fails it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from pg8000 import native

import functions
from functions.analyze.domain.plan_noise import NoiseKey
from functions.scan.queries.comparing import FIRST, LAST, Place
from functions.scim.queries.lists import EVERYTHING
from shared.data.errors import RowInUse, UniqueViolated
from shared.data.unit_of_work import UnitOfWork
from shared.security.errors import NotFound
from tests.support.database import ClonedDatabase, DatabaseServer, actor_in
from tests.support.tenants import TwoTenants, two_tenants

_FOREIGN_KEY = "23503"
_RESOURCE = {
    "address": "aws_x.y", "part": 0, "type": "aws_x", "key": "k", "region": "r", "cloud_id": "c", "attributes": {},
    "tags": {}, "cloud_made": False, "parent": None, "aliases": [["aws_x", "a"]], "sensitive": [], "account": "1", "is_deposed": False,
}  # fmt: skip
_ITEM = {
    "kind": "unmanaged", "type": "aws_x", "key": "k", "is_sensitive": False, "severity": "low", "rule": "r",
    "fingerprint": "00" * 32,
}  # fmt: skip
_DOCUMENT = {
    "type": "aws_x", "key": "k", "region": "r", "cloud_id": "c", "is_there": True, "document": {}, "document_hash": "00" * 32,
    "covered": [], "source": "s", "declared": [],
}  # fmt: skip
_LISTED = {"arn": "arn:x", "name": "x", "type": "aws_x", "region": "r"}
_GAP = {"types": ["aws_x"], "attributes": [], "region": "r", "reason": "denied", "detail": ""}
_VALUES: dict[str, Any] = {
    "most": 50, "skipped": 0, "status": "failed", "resources": [_RESOURCE], "items": [_ITEM], "gaps": [_GAP],
    "identities": [("aws_x", "k")], "covered": ["aws_x"], "agreed": {("aws_x", "k"): "00" * 32}, "page_findings.after": b"",
    "end_of_part.after": FIRST, "list_unsettled.after": FIRST, "until": LAST,
    "documents": [_DOCUMENT], "baselines": [_DOCUMENT], "listed": [_LISTED],
    "shards": [{"service": "s", "region": "r"}], "role": "viewer", "end_shard.resources": 1,
    "set_anchored.seq": 0, "set_platform_anchored.seq": 0, "plan": "free", "after_day": date(2025, 12, 31),
    "delete_expired.table": "sign_ins", "set_verified.domain": "example.test", "insert_refresh.session_id": UUID(int=15), "insert_domain.challenge": "x" * 16,
    "sealing_id": UUID(int=17), "objects_key_encrypted": b"x",
    "disable_channel.because": "gone", "disable_schedule.because": "failing", "outcome": "done",
    "set_turn.next_run_at": datetime.now(UTC),
    "before": None, "following": {"step": 1}, "pause_shard.resources": 1,
    "spread_scan.regions": ["eu-west-1"], "starts": [datetime.now(UTC)], "read_once_more.shards": 1, "read_once_more.resources": 1,
    "record_seen.seen": [NoiseKey("aws_x", "aws_x.y", "a", "r")],
    "objects": [{"kind": "Namespace", "key": "k", "sealed": "\\x" + "00" * 34, "bytes": 2}], "names": [{"kind": "Namespace", "key": "k"}],
    "page_objects.after": ("", ""), "page_changed.after": ("", ""), "is_every": True, "type_name": "kubernetes_manifest",
    "condition": EVERYTHING, "put_config.default_role": "viewer", "put_config.group_roles": {"x": "member"},
}  # fmt: skip
_TABLE_OF = {
    "account_id": "scan.cloud_accounts", "scan_id": "scan.scans", "shard_id": "scan.shards", "source_id": "scan.state_sources",
    "key_id": "core.api_keys", "user_id": "core.users", "config_id": "webhook.configs", "delivery_id": "webhook.deliveries_in",
    "invitation_id": "core.invitations", "analysis_id": "analysis.analyses", "item_id": "scan.drift_items",
    "custom_id": "analysis.custom_rules", "suppression_id": "analysis.noise_suppressions",
    "host_id": "analysis.code_hosts", "pull_request_id": "analysis.pull_request_comments",
    "schedule_id": "scan.schedules", "feed_id": "scan.asset_feeds", "report_id": "scan.cluster_reports", "ignore_rule_id": "scan.ignore_rules",
    "export_id": "core.audit_exports", "channel_id": "webhook.notification_channels", "out_id": "webhook.deliveries_out",
    "resource_id": "scim.users", "scim_user_id": "scim.users", "group_id": "scim.groups", "token_id": "scim.tokens",
}  # fmt: skip
_CONNECTION: dict[str, Any] = {
    "is_enabled": True, "is_enforced": False, "allows_unsolicited": False, "allows_cbc": False, "idp_entity_id": "e",
    "metadata_url": None, "metadata_xml": "x", "now": datetime.now(UTC), "email_attribute": "", "default_role": "viewer",
}  # fmt: skip
_CHANNEL: dict[str, Any] = {
    "name": "n", "target_encrypted": b"x", "target_hint": "h", "events": ["*"], "least_severity": "none", "account_ids": [],
    "digest": "immediately", "digest_hour": 9, "quiet_from": None, "quiet_until": None, "time_zone": "UTC",
}  # fmt: skip
_RULE: dict[str, Any] = {
    "title": "t", "expression": "true", "severity": "low", "reason": "", "remedy": "", "resource_pattern": None, "is_enabled": True,
    "now": datetime.now(UTC),
}  # fmt: skip
_SCIM_USER: dict[str, Any] = {
    "user_name": "n@example.test", "external_id": None, "active": True, "display_name": None, "family_name": None, "given_name": None,
    "email_key": None, "user_id": None, "document": "{}", "now": datetime.now(UTC),
}  # fmt: skip
_SCIM_GROUP: dict[str, Any] = {"display_name": "n", "external_id": None, "document": "{}", "now": datetime.now(UTC)}
_SCHEDULE: dict[str, Any] = {
    "name": "n", "cron": "0 2 * * *", "time_zone": "UTC", "jitter_seconds": 0, "next_run_at": datetime.now(UTC),
}  # fmt: skip
_NO_FILTERS: dict[str, Any] = dict.fromkeys(("actor", "action", "target", "from_at", "to_at"))
# What goes into `**values`: names besides those above, with their values.
_MORE: dict[str, dict[str, Any]] = {
    "insert_sign_in": {"state_hash": bytes(32), "provider": "default", "nonce": "n", "code_verifier": "v", "return_path": "/", "expires_at": None},
    "insert_key": {
        "public_id": "0123456789ab", "secret_hash": bytes(32), "pepper_version": 1, "name": "n", "scopes": ["read"],
        "created_by": None, "expires_at": None, "cidrs": ["203.0.113.0/24"], "replaces_id": None,
    },
    "insert_account": {
        "id": UUID(int=9), "provider": "aws", "name": "n", "external_account": "210987654321", "regions": ["eu-west-1"],
        "auth_kind": "role", "role_arn": "arn:aws:iam::210987654321:role/x", "external_id": None, "credentials_encrypted": None,
    },
    "set_access": {
        **dict.fromkeys(("through", "identity_provider", "service_account", "tenant_id", "client_id", "credentials_encrypted")),
        "auth_kind": "role", "role_arn": "arn:aws:iam::210987654321:role/x", "external_id": None,
    },
    "insert_scan": {"account_id": None, "requested_by": "", "shards_total": 1},
    "insert_source": {"account_id": None, "kind": "upload", "name": "n", "bucket": None, "object_key": None, "bucket_region": None},
    "set_fetched": {"serial": 1, "lineage": "l", "terraform_version": "1", "content_hash": bytes(32), "digest_version": 1, "resource_count": 0, "version_token": None, "mapping_hash": bytes(32)},
    "change_source": {"name": "n", "auth_kind": "none", "auth": "{}", "credentials_encrypted": None},
    "list_items": {"scan_id": None, "account_id": None},
    "insert_rule": {
        **dict.fromkeys(("address_pattern", "cloud_id_pattern", "tag_pattern", "path_pattern", "expires_at")), "type_pattern": "x",
        "most_severity": "low", "reason": "r", "created_by": "human:x", "created_at": datetime.now(UTC),
    },
    "list_worst_items": {"scan_id": None, "account_id": None},
    "take_part": {
        "part": 2, "last_hash": bytes(32), "objects": 1, "object_bytes": 1, "now": datetime.now(UTC), "completed_at": None,
        "kinds": None, "failures": None, "server_version": None, "operator_version": None,
    },
    "insert_schedule": _SCHEDULE | {"id": UUID(int=21), "account_id": None, "now": datetime.now(UTC)},
    "change_schedule": _SCHEDULE | {"failures": 0, "disabled_at": None, "disabled_because": None},
    "count_open_before": {"account_id": None},
    "count_opened": {"account_id": None},
    "count_fixed": {"account_id": None},
    "sum_coverage": {"account_id": None},
    "insert_config": {"id": UUID(int=10), "provider": "github", "name": "n", "current_secret_encrypted": b"x"},
    "change_config": {
        "name": "n", "disabled_at": None, "previous_secret_encrypted": None, "previous_expires_at": None,
    },
    "rotate_secret": {
        "current_secret_encrypted": b"x", "previous_secret_encrypted": None, "previous_expires_at": None,
        "rotated_at": datetime.now(UTC),
    },
    "insert_delivery": {
        "id": UUID(int=11), "config_id": None, "provider": "github", "external_id": "e", "proved_by": "current",
        "content_type": "", "event_name": "", "body_sha256": bytes(32), "body_bytes": 0, "body_encrypted": b"x",
        "received_at": datetime.now(UTC),
    },
    "list_deliveries": {
        "after_id": None, "most": 50, "skipped": 0, "config_id": None, "provider": None, "status": None, "proved_by": None,
    },
    "insert_channel": _CHANNEL | {
        "id": UUID(int=18), "kind": "email", "current_secret_encrypted": None, "now": datetime.now(UTC),
    },
    "change_channel": _CHANNEL | {
        "disabled_at": None, "disabled_because": None, "failing_since": None, "retry_at": None, "previous_secret_encrypted": None, "previous_expires_at": None,
    },
    "rotate_channel_secret": {
        "current_secret_encrypted": None, "previous_secret_encrypted": None, "previous_expires_at": None, "rotated_at": datetime.now(UTC),
    },
    "insert_out": {
        "id": UUID(int=19), "seq": 7, "event_kind": "e", "status": "pending", "due_at": datetime.now(UTC), "now": datetime.now(UTC),
    },
    "set_failed_try": {
        "response_status": 500, "response_start": None, "error_code": "e", "due_at": datetime.now(UTC), "now": datetime.now(UTC),
    },
    "list_out": {"after_id": None, "most": 50, "skipped": 0, "channel_id": None, "status": None},
    "list_audit": _NO_FILTERS,
    "list_platform_audit": _NO_FILTERS,
    "insert_device": {
        "device_code_hash": bytes(32), "user_code_hash": bytes(32), "client_name": "", "address": "", "expires_at": None,
    },
    "insert_session": {
        "id": UUID(int=12), "user_id": None, "kind": "terminal", "secret_hash": None, "issuer": "i", "subject": "s",
        "issuer_session": "", "bound_org_id": None, "signed_in_at": datetime.now(UTC), "last_seen_at": datetime.now(UTC),
        "expires_at": None, "user_agent": "", "address": "",
    },
    "list_sessions": {"now": datetime.now(UTC), "idle_since": datetime.now(UTC), "after_id": None, "most": 50},
    "insert_request": {"request_hash": bytes(32), "connection_id": UUID(int=13), "return_path": "/", "expires_at": None},
    "insert_connection": _CONNECTION | {"id": UUID(int=14), "sp_certificate": "c", "sp_key_encrypted": b"x"},
    "update_connection": _CONNECTION,
    "set_metadata": {"metadata_xml": None, "metadata_error": "", "metadata_url": "u", "now": datetime.now(UTC)},
    "insert_analysis": {
        "id": UUID(int=16), "requested_by": "human:x", "repository": "", "branch": "", "pull_request": None, "project": "", "directory": "", "workspace": "", "risk_level": "low",
        "fail_on": None, "is_refused": False, "terraform_version": "", "summary": "s", "answer": {},
        "created_at": datetime.now(UTC),
    },
    "put_llm_config": {
        "id": UUID(int=17), "provider": "openai", "model": "m", "endpoint": None, "region": None, "credentials_encrypted": b"x",
        "now": datetime.now(UTC),
    },
    "insert_code_host": {
        "id": UUID(int=18), "kind": "gitlab", "name": "n", "url": "https://y.example", "owner": "y", "app_id": None,
        "installation_id": None, "credentials_encrypted": b"x", "comments_on_closed": False, "has_check_run": True, "fail_on": None,
        "now": datetime.now(UTC),
    },
    "change_code_host": {
        "name": "n", "credentials_encrypted": b"x", "comments_on_closed": False, "has_check_run": True, "fail_on": None,
        "disabled_at": None, "now": datetime.now(UTC),
    },
    "take_pull_request": {
        "host_id": None, "repository": "z/z", "pull_request": 1, "analysis_id": None, "analysed_at": datetime.now(UTC),
        "lease_id": UUID(int=19), "leased_until": datetime.now(UTC), "now": datetime.now(UTC),
    },
    "count_llm_call": {
        "day": date(2026, 1, 2), "source": "own", "provider": "openai", "model": "m", "failures": 0, "input_tokens": 1, "output_tokens": 1,
    },
    "insert_token": {
        "public_id": "0123456789ab", "secret_hash": bytes(32), "pepper_version": 1, "name": "n", "created_by": None, "expires_at": None,
    },
    "insert_user": _SCIM_USER | {"id": UUID(int=18)},
    "update_user": _SCIM_USER,
    "insert_group": _SCIM_GROUP | {"id": UUID(int=19)},
    "update_group": _SCIM_GROUP,
    "insert_custom": _RULE | {"name": "n", "created_by": "human:x"},
    "change_custom": _RULE,
    "put_settings": {"is_enabled": True, "times": 3, "days": 30, "hides_recurring": False, "changed_at": datetime.now(UTC)},
    "insert_suppression": {
        "attribute_pattern": "a", "type_pattern": None, "address_pattern": None, "reason": "r", "expires_at": None,
        "created_by": "human:x", "created_at": datetime.now(UTC),
    },
    "list_analyses": {
        **dict.fromkeys(("kept_since", "risk_level", "repository", "branch", "pull_request", "after_id")), "most": 50, "skipped": 0,
    },
    "insert_export": {
        "id": UUID(int=22), "requested_by": "human:x", "from_at": datetime(2026, 1, 1, tzinfo=UTC),
        "to_at": datetime(2026, 1, 2, tzinfo=UTC), "now": datetime.now(UTC), "expires_at": datetime.now(UTC),
    },
    "advance_export": {
        "lease_id": UUID(int=23), "section": 1, "files": 1, "content_bytes": 1, "packed_bytes": 1, "leased_until": datetime.now(UTC),
    },
    "insert_part": {
        "number": 9, "id": UUID(int=24), "path": "y", "rows": None, "content_bytes": 1, "content_sha256": bytes(32), "content_crc32": 0,
        "packed_bytes": 1, "content_encrypted": b"x",
    },
    "list_users": dict.fromkeys(("search", "is_platform_admin", "is_disabled")),
}  # fmt: skip
# What must be there for a function to find something in a table that belongs to no organisation.
_ARRANGED = {
    "insert_refresh": "insert into core.sessions (id, user_id, kind, issuer, subject, signed_in_at, expires_at) "
    "select '00000000-0000-0000-0000-00000000000f', id, 'terminal', 'i', 's', now(), now() + interval '1 day' "
    "from core.users order by id limit 1 on conflict do nothing",
    "delete_domain": "insert into core.allowed_domains (domain) values ('x@example.test') on conflict do nothing",
}


@pytest.fixture(scope="module")
def tenants(database_server: DatabaseServer) -> Iterator[TwoTenants]:
    with two_tenants(database_server) as found:
        yield found


@pytest.fixture
def copy(database_server: DatabaseServer, tenants: TwoTenants) -> Iterator[ClonedDatabase]:
    with database_server.clone(tenants.template) as database:
        yield database


def query_modules() -> Iterator[tuple[str, ModuleType]]:
    for folder in pkgutil.iter_modules(functions.__path__):
        name = f"functions.{folder.name}"
        for found in pkgutil.iter_modules(importlib.import_module(name).__path__):
            if not found.name.endswith("queries"):
                continue
            module = importlib.import_module(f"{name}.{found.name}")
            yield folder.name, module
            for part in pkgutil.iter_modules(getattr(module, "__path__", [])):
                yield folder.name, importlib.import_module(f"{module.__name__}.{part.name}")


def query_functions() -> list[Any]:
    found = []
    for folder, module in query_modules():
        for name, function in inspect.getmembers(module, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters), "")
            if function.__module__ == module.__name__ and not name.startswith("_") and first == "tx":
                found.append(pytest.param(folder, function, id=f"{module.__name__.removeprefix('functions.')}.{name}"))
    return found


def arguments(function: Callable[..., Any], other_rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    chosen: dict[str, Any] = {}
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            assert function.__name__ in _MORE, f"say in _MORE what {function.__name__} takes"
            chosen |= _MORE[function.__name__]
            chosen |= {key: other_rows[_TABLE_OF[key]]["id"] for key in _MORE[function.__name__] if key in _TABLE_OF}
        else:
            chosen[name] = argument(function.__name__, name, str(hints[name]), other_rows)
    if "expires_at" in chosen:
        chosen["expires_at"] = datetime.now(UTC)
    return chosen


def argument(function: str, name: str, hint: str, other_rows: dict[str, dict[str, Any]]) -> Any:
    for known in (f"{function}.{name}", name):
        if known in _VALUES:
            return _VALUES[known]
    if name in _TABLE_OF:
        return other_rows[_TABLE_OF[name]]["id"]
    if name == "place":
        return Place(other_rows["scan.cloud_accounts"]["id"], other_rows["scan.scans"]["id"])
    if "UUID" in hint and "Sequence" not in hint and name != "after_id":
        return other_rows["core.users"]["id"]
    if "None" in hint:
        return None
    for part, value in {
        "Sequence": [], "Iterable": [], "Mapping": {}, "datetime": datetime.now(UTC), "bytes": bytes(32), "bool": False,
        "int": 1, "str": "x@example.test",
    }.items():  # fmt: skip
        if part in hint:
            return value
    raise AssertionError(f"say in _VALUES what {function} takes for {name}: {hint}")


@pytest.mark.parametrize(("folder", "function"), query_functions())
def test_a_query_neither_shows_nor_changes_another_organisations_rows(
    tenants: TwoTenants, copy: ClonedDatabase, folder: str, function: Callable[..., Any]
) -> None:
    database, other, other_rows = copy, tenants.other, tenants.other_rows

    whole = " union all ".join(
        f"select '{table.name}', to_jsonb(t) from {table.name} t where {table.tenant_column} = :other"
        for table in tenants.tables
    )

    def snapshot() -> list[Any]:
        return list(database.owner.run(whole, other=other))

    before = snapshot()
    assert {name for name, _row in before} == {table.name for table in tenants.tables}, "a table has no row to look at"
    arranged = _ARRANGED.get(function.__name__, "select 1")
    database.owner.run(arranged)
    answer: Any = None
    try:
        with database.build_database(folder).unit(actor_in(tenants.mine)) as tx:
            answer = call(function, tx, arguments(function, other_rows))
    except (NotFound, IndexError, UniqueViolated, RowInUse):
        pass  # not found, in one way or another, or there already, or in use
    except native.DatabaseError as error:
        if error.args[0]["C"] != _FOREIGN_KEY:
            raise
    assert snapshot() == before, "it changed rows of another organisation"
    ids = {str(row["id"]) for name, row in other_rows.items() if "id" in row and name != "core.users"} | {str(other)}
    assert not [found for found in ids if found in str(answer)], "it shows rows of another organisation"
    database.owner.run(arranged)
    try:  # and that was not because the call made no sense: in the organisation itself it works
        with database.build_database(folder).unit(actor_in(other)) as tx:
            call(function, tx, arguments(function, other_rows))
    except (UniqueViolated, RowInUse):
        pass  # what it would insert is there already, or what it would delete is in use


def call(function: Callable[..., Any], tx: UnitOfWork, chosen: dict[str, Any]) -> Any:
    names = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ][1:]
    positional = [chosen.pop(name) for name in names]
    return function(tx, *positional, **chosen)
