"""Who may do what: every route of every function, against every kind of caller there is.

The contract below is written from the product's description, by hand, and not from the permission table: where the two differ,
one of them is wrong. A route that it does not name fails, so nothing is served before somebody said to whom.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from infra.build.openapi import routes_of
from infra.build.permissions import FILE, main
from infra.suite import load_suite
from shared.http.app import App
from shared.http.call import Call
from shared.http.deps import Deps
from shared.http.permissions import PERMISSIONS, may
from shared.http.reply import Reply
from shared.http.routes import Route
from tests.support.http_app import ORG, OTHER_ORG, World, call

# One line a call: method, path (O is an organisation's root), who. `anyone`: no credential is asked for. `any`: every person and
# key. A role: people who have at least it, and keys whose scope is worth it. `human`: no keys. `fresh`: signed in within 15
# minutes. `platform`: platform admins. `scim`: the organisation's directory (S is its root), by its token, and nobody else. `key`: keys of the scope `report`.
CONTRACT = """
GET    /                                          anyone
GET    /device                                    anyone
POST   /console/csp-reports                       anyone
GET    /console/style.css                         anyone
GET    /console/api.js                            anyone
GET    /console/device.js                         anyone
GET    /console/elements.js                       anyone
GET    /console/start.js                          anyone
GET    /auth/health                               anyone
GET    /keys/health                               anyone
GET    /scan/health                               anyone
GET    /analyze/health                            anyone
GET    /webhooks/health                           anyone
GET    /scim/health                               anyone
GET    /console/health                            anyone

GET    /.well-known/openid-configuration          anyone
GET    /.well-known/jwks.json                     anyone
GET    /.well-known/audit-export-keys.json        anyone
GET    /.well-known/security.txt                  anyone
GET    /auth/providers                            anyone
GET    /auth/login                                anyone
GET    /auth/callback                             anyone
POST   /auth/token                                anyone
POST   /auth/device/code                          anyone
POST   /auth/backchannel-logout/{provider}        anyone
GET    /auth/saml/{connection}/metadata           anyone
GET    /auth/saml/{connection}/login              anyone
POST   /auth/saml/{connection}/acs                anyone
GET    /auth/device                               human
POST   /auth/device                               human
POST   /auth/logout                               human
GET    /auth/sessions                             human
DELETE /auth/sessions                             human
DELETE /auth/sessions/{session_id}                human
GET    /api/v2/me                                 any
GET    /api/v2/admin/me                           any

POST   /api/v2/orgs                               human
GET    /api/v2/orgs                               human
GET    O                                          viewer
PATCH  O                                          admin
DELETE O                                          owner human fresh
GET    O/usage                                    viewer
POST   O/ownership-transfer                       owner human fresh
GET    O/members                                  viewer
PATCH  O/members/{user_id}                        admin human fresh
DELETE O/members/{user_id}                        viewer human
POST   O/invitations                              admin human
GET    O/invitations                              admin human
DELETE O/invitations/{invitation_id}              admin human
POST   /api/v2/invitations/accept                 human
GET    O/sso-config                               viewer
PUT    O/sso-config                               admin human fresh
DELETE O/sso-config                               admin human fresh
GET    O/sso-config/domains                       viewer
POST   O/sso-config/domains                       admin human fresh
DELETE O/sso-config/domains/{domain}              admin human fresh
POST   O/sso-config/domains/{domain}/verify       admin human fresh
GET    O/audit-log                                admin
GET    O/audit-log/verify                         admin
POST   O/audit-exports                            admin human
GET    O/audit-exports                            admin human
GET    O/audit-exports/{export_id}                admin human
DELETE O/audit-exports/{export_id}                admin human
GET    O/audit-exports/{export_id}/download       admin human
GET    O/billing                                  viewer
POST   O/billing/checkout                         owner human
POST   O/billing/portal                           owner human
POST   /api/v2/billing/stripe-events              anyone

GET    /api/v2/admin/audit-log                    platform
GET    /api/v2/admin/audit-log/verify             platform
GET    /api/v2/admin/domains                      platform
POST   /api/v2/admin/domains                      platform
DELETE /api/v2/admin/domains/{domain}             platform
GET    /api/v2/admin/users                        platform
GET    /api/v2/admin/users/{user_id}              platform
PATCH  /api/v2/admin/users/{user_id}              platform
DELETE /api/v2/admin/users/{user_id}              platform
GET    /api/v2/admin/orgs                         platform
GET    /api/v2/admin/orgs/{target_org_id}         platform
PATCH  /api/v2/admin/orgs/{target_org_id}         platform
DELETE /api/v2/admin/orgs/{target_org_id}         platform

POST   O/api-keys                                 admin human
GET    O/api-keys                                 viewer
GET    O/api-keys/{key_id}                        viewer
POST   O/api-keys/{key_id}/rotate                 admin human
DELETE O/api-keys/{key_id}                        admin human
POST   /api/v2/secret-scanning/report             anyone

POST   O/cloud-accounts                           admin
GET    O/cloud-accounts                           viewer
GET    O/cloud-accounts/{account_id}              viewer
PATCH  O/cloud-accounts/{account_id}              admin
DELETE O/cloud-accounts/{account_id}              admin
POST   O/cloud-accounts/{account_id}/verify       admin
GET    O/cloud-accounts/{account_id}/asset-feed   viewer
PUT    O/cloud-accounts/{account_id}/asset-feed   admin
DELETE O/cloud-accounts/{account_id}/asset-feed   admin
GET    O/cloud-accounts/{account_id}/trust        viewer
POST   O/accounts                                 admin
GET    O/accounts                                 viewer
GET    O/accounts/{account_id}                    viewer
PATCH  O/accounts/{account_id}                    admin
DELETE O/accounts/{account_id}                    admin
POST   O/accounts/{account_id}/verify             admin
GET    O/accounts/{account_id}/asset-feed         viewer
PUT    O/accounts/{account_id}/asset-feed         admin
DELETE O/accounts/{account_id}/asset-feed         admin
GET    O/accounts/{account_id}/trust              viewer
POST   O/state-sources                            admin
GET    O/state-sources                            viewer
GET    O/state-sources/{source_id}                viewer
PATCH  O/state-sources/{source_id}                admin
GET    O/state-sources/{source_id}/states         viewer
DELETE O/state-sources/{source_id}                admin
PUT    O/state-sources/{source_id}/state          admin
POST   O/state-sources/{source_id}/refresh        admin
POST   O/scans                                    member
GET    O/scans                                    viewer
GET    O/scans/{scan_id}                          viewer
POST   O/scans/{scan_id}/cancel                   member
GET    O/scans/{scan_id}/resources                viewer
GET    O/scans/{scan_id}/coverage                 viewer
POST   O/scans/{scan_id}/drift                    member
GET    O/scans/{scan_id}/drift                    viewer
GET    O/scans/{scan_id}/events                   viewer
PATCH  O/drift/{item_id}                          member
POST   O/ignore-rules                             admin
GET    O/ignore-rules                             member
GET    O/ignore-rules/{ignore_rule_id}            member
DELETE O/ignore-rules/{ignore_rule_id}            admin
POST   O/schedules                                admin
GET    O/schedules                                viewer
GET    O/schedules/{schedule_id}                  viewer
PUT    O/schedules/{schedule_id}                  admin
DELETE O/schedules/{schedule_id}                  admin
POST   O/schedules/{schedule_id}/run              admin
GET    O/trends                                   viewer
GET    O/drift                                    viewer

POST   O/analyze                                  member
GET    O/analyses                                 viewer
GET    O/analyses/{analysis_id}                   viewer
GET    O/drift/{item_id}/fix                       viewer
GET    O/drift/{item_id}/narrative                viewer
GET    O/llm-config                               admin
PUT    O/llm-config                               admin
DELETE O/llm-config                               admin
POST   O/llm-config/test                          admin
GET    O/llm-usage                                admin
POST   O/code-hosts                               admin
GET    O/code-hosts                               admin
GET    O/code-hosts/{host_id}                     admin
PATCH  O/code-hosts/{host_id}                     admin
DELETE O/code-hosts/{host_id}                     admin
GET    O/policy                                   viewer
PUT    O/policy                                   human admin
GET    /api/v2/builtin-rules                      any
GET    O/disabled-rules                           viewer
GET    O/disabled-rules/{rule_id}                 viewer
PUT    O/disabled-rules/{rule_id}                 admin
DELETE O/disabled-rules/{rule_id}                 admin
GET    O/custom-rules                             viewer
POST   O/custom-rules                             admin
POST   O/custom-rules/test                        admin
GET    O/custom-rules/{rule_id}                   viewer
PATCH  O/custom-rules/{rule_id}                   admin
DELETE O/custom-rules/{rule_id}                   admin
GET    O/plan-noise                               viewer
PUT    O/plan-noise/settings                      admin
POST   O/plan-noise/suppress                      admin
DELETE O/plan-noise/suppress/{suppression_id}     admin
POST   O/scim-tokens                              admin human fresh
GET    O/scim-tokens                              admin human
DELETE O/scim-tokens/{token_id}                   admin human fresh
GET    O/scim-config                              viewer
PUT    O/scim-config                              admin human fresh
GET    S/ServiceProviderConfig                    scim
GET    S/ResourceTypes                            scim
GET    S/ResourceTypes/{resource_type}            scim
GET    S/Schemas                                  scim
GET    S/Schemas/{schema}                         scim
GET    S/Users                                    scim
POST   S/Users                                    scim
POST   S/Users/.search                            scim
GET    S/Users/{user_id}                          scim
PUT    S/Users/{user_id}                          scim
PATCH  S/Users/{user_id}                          scim
DELETE S/Users/{user_id}                          scim
GET    S/Groups                                   scim
POST   S/Groups                                   scim
POST   S/Groups/.search                           scim
GET    S/Groups/{group_id}                        scim
PUT    S/Groups/{group_id}                        scim
PATCH  S/Groups/{group_id}                        scim
DELETE S/Groups/{group_id}                        scim
POST   S/.search                                  scim
POST   S/Bulk                                     scim
GET    S/Me                                       scim
POST   S/Me                                       scim
PUT    S/Me                                       scim
PATCH  S/Me                                       scim
DELETE S/Me                                       scim
POST   /webhooks/{provider}/{config_id}           anyone
POST   O/webhook-configs                          admin
GET    O/webhook-configs                          admin
GET    O/webhook-configs/{config_id}              admin
PATCH  O/webhook-configs/{config_id}              admin
DELETE O/webhook-configs/{config_id}              admin
POST   O/webhook-configs/{config_id}/rotate       admin
POST   O/notification-channels                    admin
GET    O/notification-channels                    admin
GET    O/notification-channels/{channel_id}       admin
PATCH  O/notification-channels/{channel_id}       admin
DELETE O/notification-channels/{channel_id}       admin
POST   O/notification-channels/{channel_id}/rotate admin
POST   O/notification-channels/{channel_id}/test  admin
POST   O/notification-channels/slack-installs     human admin
GET    /oauth/slack/callback                      human
POST   /api/v2/operator/report                    key
POST   /api/v2/asset-feeds/{feed_id}              anyone
GET    O/webhook-deliveries                       admin
POST   O/webhook-deliveries/{delivery_id}/replay  admin
"""
WORTH = {"viewer": 1, "member": 2, "admin": 3, "owner": 4, "read": 1, "write": 2, "report": 0}
ROLES, SCOPES = ("viewer", "member", "admin", "owner"), ("read", "write", "admin", "report")

ROUTES: list[Route[Any]] = [route for name in load_suite().functions for route in routes_of(name)]


def contract() -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for line in filter(None, CONTRACT.splitlines()):
        method, path, *words = line.split()
        full = re.sub(r"^O(?=/|$)", "/api/v2/orgs/{org_id}", path)
        full = re.sub(r"^S(?=/)", "/scim/v2/{org_id}", full)
        assert (method, full) not in found, f"{method} {path} stands there twice"
        found[method, full] = frozenset(words)
    return found


@dataclass(frozen=True)
class Caller:
    """One kind of caller of `ORG`.

    Attributes:
        kind: `nobody`, `person` or `key`.
        role: a person's, or that of a key's maker; empty for who belongs to no organisation.
        scope: of a key.
        minutes_ago: when a person signed in.
    """

    kind: str
    role: str = ""
    scope: str = ""
    minutes_ago: int = 1
    is_platform_admin: bool = False

    @property
    def worth(self) -> int:
        """A key is worth no more than its maker."""
        worth = WORTH.get(self.role, 0)
        return min(worth, WORTH[self.scope]) if self.kind == "key" else worth

    def token(self, world: World) -> str | None:
        """Make such a caller."""
        if self.kind == "nobody":
            return None
        if self.kind == "key":
            return world.key(self.scope, maker_role=self.role)
        role = self.role or None
        return world.person(role, is_platform_admin=self.is_platform_admin, minutes_ago=self.minutes_ago)


CALLERS = [
    Caller("nobody"),
    *(Caller("person", role, minutes_ago=minutes) for role, minutes in product(("", *ROLES), (1, 16))),
    *(Caller("person", role, is_platform_admin=True) for role in ("", "viewer", "owner")),
    *(Caller("key", role, scope) for role, scope in product(ROLES, SCOPES)),
]


def expected(words: frozenset[str], caller: Caller, *, is_own: bool) -> tuple[int, str]:
    """Say what must come out: status and code."""
    if "scim" in words:  # a key is looked for in the path's organisation before anything else is asked
        return (401, "unauthenticated") if is_own or caller.kind != "key" else (404, "not_found")
    needed = next((WORTH[word] for word in words if word in ROLES), 0)
    if "anyone" in words:
        return 204, ""
    if caller.kind == "nobody":
        return 401, "unauthenticated"
    if "platform" in words:
        is_admin = caller.kind == "person" and caller.is_platform_admin
        return (204, "") if is_admin else (403, "platform_admin_required")
    if "key" in words and caller.kind != "key":
        return 403, "key_required"
    if "human" not in words and ("key" in words or caller.scope == "report"):
        is_good = "key" in words and caller.scope == "report" and WORTH[caller.role] >= WORTH["member"]
        return (204, "") if is_good else (403, "scope_required") if is_own or not needed else (404, "not_found")
    if needed and (not is_own or not caller.role):
        return 404, "not_found"
    if "human" in words and caller.kind == "key":
        return 403, "human_required"
    if caller.worth < needed:
        return 403, "scope_required" if caller.kind == "key" else "role_required"
    if "fresh" in words and caller.minutes_ago > 15:
        return 403, "fresh_login_required"
    return 204, ""


def code_of(content: bytes) -> str:
    """Return the code of a problem; errors in SCIM's form have none, so their status stands for it."""
    body = json.loads(content) if content else {"code": ""}
    return str(body.get("code", {"401": "unauthenticated", "404": "not_found"}.get(body.get("status", ""))))


def answer_nothing(_call: Call, _deps: Deps) -> Reply:
    """Stand in for every handler: who comes this far was let in."""
    return Reply.no_content()


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def app(world: World) -> App[Deps]:
    """Every route of every function, with its own access rule and no handler."""
    return world.app([replace(route, handler=answer_nothing) for route in ROUTES])


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[Caller, str | None]:
    return {caller: caller.token(world) for caller in CALLERS}


def test_the_contract_names_every_call_that_is_served() -> None:
    served = {(route.method, route.path) for route in ROUTES}
    assert not served - set(contract()), "say in CONTRACT who may call these"
    assert not set(contract()) - served, "CONTRACT names calls that nobody serves"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_everybody_is_let_in_or_refused_as_the_contract_says(
    route: Route[Any], app: App[Deps], tokens: dict[Caller, str | None]
) -> None:
    words = contract()[route.method, route.path]
    differences: list[str] = []
    for caller, org_id in product(CALLERS, (ORG, OTHER_ORG)):
        path = re.sub(r"\{[a-z_]+\}", str(UUID(int=7)), route.path.replace("{org_id}", str(org_id)))
        answer = call(app, route.method, path, token=tokens[caller])
        found = answer.status_code, code_of(answer.get_data())
        wanted = expected(words, caller, is_own=org_id == ORG)
        if found != wanted:
            where = "own" if org_id == ORG else "another"
            differences.append(f"{caller} in {where} organisation: {found} instead of {wanted}")
    assert not differences, "\n" + "\n".join(differences)


def test_callers_of_every_kind_are_tried() -> None:
    assert {caller.worth for caller in CALLERS} == {0, 1, 2, 3, 4}
    assert {(caller.role, caller.scope) for caller in CALLERS if caller.kind == "key"} == set(product(ROLES, SCOPES))
    outcomes = {
        expected(words, caller, is_own=is_own)
        for words, caller, is_own in product(contract().values(), CALLERS, (True, False))
    }
    codes = {
        "", "unauthenticated", "not_found", "human_required", "role_required", "scope_required", "fresh_login_required",
        "platform_admin_required", "key_required",
    }  # fmt: skip
    assert {code for _, code in outcomes} == codes


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_takes_its_rule_from_the_table(route: Route[Any]) -> None:
    name = route.access.permission
    assert name in PERMISSIONS, "spell the rule as may(...), and keep it in the table"
    assert route.access is may(name)


def test_a_permission_that_nobody_wrote_down_does_not_load() -> None:
    with pytest.raises(KeyError):
        may("api_keys:creat")


def test_permissions_are_named_for_what_they_allow() -> None:
    assert all(re.fullmatch(r"[a-z_]+:[a-z_]+", name) for name in PERMISSIONS)
    assert all(access.permission == name for name, access in PERMISSIONS.items())


def test_the_committed_overview_is_what_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err
    text = FILE.read_text(encoding="utf-8")
    assert all(f"`{route.method} {route.path}`" in text for route in ROUTES)


def test_a_stale_overview_is_told(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "permissions.md"
    stale.write_text(FILE.read_text(encoding="utf-8").replace("owner, fresh", "owner"), encoding="utf-8")
    monkeypatch.setattr("infra.build.permissions.FILE", stale)
    assert main(["--check"]) == 1
    assert "is stale" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
