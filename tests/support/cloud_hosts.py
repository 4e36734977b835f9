"""Google Cloud and Azure as far as accounts are connected and verified, behind the real egress guard: only its dialling is replaced.

Source: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token;
https://cloud.google.com/resource-manager/reference/rest/v3/projects/testIamPermissions;
https://docs.cloud.google.com/asset-inventory/docs/reference/rest/v1/assets/list;
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow;
Azure REST API, "Permissions - List" (2022-04-01) and "Resource Graph - Resources" (2022-10-01).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from functions.scan.readers.azure.actions import EVERYTHING
from functions.scan.readers.gcp.rights import QUOTA, READING
from shared.security.egress import EgressResponse

from .state_hosts import PROVIDER, Asked, Internet, answer

SUBSCRIPTION = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
TENANT, CLIENT = "11111111-2222-4333-8444-555555555555", "99999999-8888-4777-8666-555555555555"
ACTING_AS = "trusting@project.iam.gserviceaccount.com"
CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_DISABLED = {"error": {"status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}


@dataclass
class GoogleCloud:
    """A project with a workload identity provider that trusts one audience.

    Attributes:
        audience: the external id that the provider takes.
        granted: permissions of the reader, wherever it is asked about them.
        disabled: hosts whose API is off.
    """

    audience: str = ""
    granted: set[str] = field(default_factory=lambda: {*READING, QUOTA})
    disabled: set[str] = field(default_factory=set[str])
    tokens_made: int = 0

    def connect(self, internet: Internet) -> None:
        internet.hosts |= {
            "sts.googleapis.com": self.federate,
            "iamcredentials.googleapis.com": self.impersonate,
            "oauth2.googleapis.com": self.exchange,
            "cloudasset.googleapis.com": self.assets,
            "cloudresourcemanager.googleapis.com": self.rights,
        }

    def federate(self, asked: Asked) -> EgressResponse:
        form = asked.form
        assert form["scope"] == CLOUD_SCOPE
        if form["audience"] != f"//iam.googleapis.com/{PROVIDER}" or form["subject_token"] != f"id.{self.audience}":
            return answer(400, {"error": "invalid_grant"})
        return answer(200, {"access_token": self._token("federated"), "expires_in": 3600})

    def impersonate(self, asked: Asked) -> EgressResponse:
        assert json.loads(asked.content)["scope"] == [CLOUD_SCOPE]
        if not asked.path.endswith(f"/{ACTING_AS}:generateAccessToken"):
            return answer(403, {"error": {"status": "PERMISSION_DENIED"}})
        return answer(200, {"accessToken": self._token("acting"), "expireTime": "2026-01-01T01:00:00Z"})

    def exchange(self, asked: Asked) -> EgressResponse:
        assert asked.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return answer(200, {"access_token": self._token("key"), "expires_in": 3600, "token_type": "Bearer"})

    def assets(self, asked: Asked) -> EgressResponse:
        if refusal := self._refusal(asked):
            return refusal
        content = asked.query["contentType"]
        needed = {"RESOURCE": "cloudasset.assets.listResource", "IAM_POLICY": "cloudasset.assets.listIamPolicy"}[
            content
        ]
        if needed not in self.granted:
            return answer(403, {"error": {"status": "PERMISSION_DENIED", "message": f"Permission '{needed}' denied"}})
        return answer(200, {"readTime": "2026-01-01T00:00:00Z", "assets": []})

    def rights(self, asked: Asked) -> EgressResponse:
        if refusal := self._refusal(asked):
            return refusal
        assert asked.path.endswith(":testIamPermissions")
        wanted = json.loads(asked.content)["permissions"]
        held = [name for name in wanted if name in self.granted]
        return answer(200, {"permissions": held} if held else {})

    def _refusal(self, asked: Asked) -> EgressResponse | None:
        if not asked.headers.get("authorization", "").startswith("Bearer a-google-"):
            return answer(401, {})
        return answer(403, _DISABLED) if asked.host in self.disabled else None

    def _token(self, kind: str) -> str:
        self.tokens_made += 1
        return f"a-google-{kind}-token-{self.tokens_made}"


@dataclass
class AzureCloud:
    """A subscription, and a directory with a federated credential that takes one audience.

    Attributes:
        audience: the external id that the credential takes.
        actions, not_actions: of the reader's one role; without actions it has none.
        is_listed: whether Resource Graph answers.
    """

    audience: str = ""
    actions: list[str] = field(default_factory=lambda: [EVERYTHING])
    not_actions: list[str] = field(default_factory=list[str])
    is_listed: bool = True

    def connect(self, internet: Internet) -> None:
        internet.hosts |= {"login.microsoftonline.com": self.login, "management.azure.com": self.manage}

    def login(self, asked: Asked) -> EgressResponse:
        form = asked.form
        assert asked.path == f"/{TENANT}/oauth2/v2.0/token"
        assert (form["grant_type"], form["client_id"]) == ("client_credentials", CLIENT)
        assert form["scope"] == "https://management.azure.com/.default"
        if form.get("client_secret") == "the-app-secret" or form.get("client_assertion") == f"id.{self.audience}":
            return answer(200, {"access_token": "an-azure-token", "expires_in": 3599, "token_type": "Bearer"})
        return answer(401, {"error": "invalid_client", "error_description": "AADSTS700213: No matching record"})

    def manage(self, asked: Asked) -> EgressResponse:
        if asked.headers.get("authorization") != "Bearer an-azure-token":
            return answer(401, {})
        if asked.path == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/permissions":
            role = {"actions": self.actions, "notActions": self.not_actions, "dataActions": [], "notDataActions": []}
            return answer(200, {"value": [role] if self.actions else []})
        assert (asked.method, asked.path) == ("POST", "/providers/Microsoft.ResourceGraph/resources")
        assert json.loads(asked.content)["subscriptions"] == [SUBSCRIPTION]
        if not self.is_listed:
            return answer(500, {})
        return answer(200, {"totalRecords": 0, "count": 0, "data": [], "resultTruncated": "false"})
