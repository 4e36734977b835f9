"""A connected Kubernetes cluster, and an operator's parts as the report call takes them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from flask import Response

from functions.scan.domain.cluster_reports import signing_secret
from functions.scan.queries import reports
from shared.security.signatures import sign

from .database import actor_in
from .http_app import call
from .scan_function import ScanOrg

PATH = "/api/v2/operator/report"


def config_map(name: str, namespace: str = "shop", **data: str) -> dict[str, Any]:
    """Return an object as an operator sends it."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def make_key(org: ScanOrg, scopes: Sequence[str], *, maker: UUID | None = None) -> str:
    """Issue an API key of an organisation, by its admin unless told otherwise."""
    _, pepper = org.function.world.peppers.newest()
    _, key = org.function.database.make_api_key(org.id, maker or org.admin, scopes, pepper=pepper)
    return key.reveal()


@dataclass
class Cluster:
    """A cluster of an organisation, and the key that its operator holds."""

    org: ScanOrg
    account_id: UUID
    key: str
    report_id: UUID = field(default_factory=uuid4)

    @classmethod
    def make(cls, org: ScanOrg, scopes: Sequence[str] = ("report",)) -> Cluster:
        """Connect a cluster and issue its operator's key."""
        account = uuid4()
        org.own(
            "insert into scan.cloud_accounts (org_id, id, provider, name, external_account, regions, auth_kind) "
            "values (:org_id, :id, 'kubernetes', 'shop', :name, array['global'], 'report')",
            id=account, name=f"cluster-{account}",
        )  # fmt: skip
        return cls(org, account, make_key(org, scopes))

    def part(self, number: int, *, is_last: bool = False, **members: Any) -> dict[str, Any]:
        """Make the body of a part; `is_last` ends the listing."""
        body: dict[str, Any] = {"account_id": str(self.account_id), "report_id": str(self.report_id), "part": number}
        if is_last:
            body["listing"] = {"kinds": ["ConfigMap", "Deployment.apps"], "failures": [], "server_version": "v1.34.1"}
        return body | members

    def send(self, body: object, *, key: str | None = None, packed: bool = True, **headers: str) -> Response:
        """Send a body signed, packed unless told otherwise; `headers` take the place of what would be sent."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        used = key or self.key
        signed: Mapping[str, str] = sign([signing_secret(used)], str(uuid4()), self.org.function.clock.now(), content)
        sent = {"x-api-key": used, **signed, **({"Content-Encoding": "gzip"} if packed else {})}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return call(
            self.org.function.app,
            "POST",
            PATH,
            headers=sent,
            content=gzip.compress(content) if packed else content,
            content_type="application/json",
        )

    def done(self, body: object) -> dict[str, Any]:
        """Send a part that must be taken; returns the answer."""
        response = self.send(body)
        assert response.status_code == 200, response.get_data(as_text=True)
        found: dict[str, Any] = json.loads(response.get_data())
        return found

    def refused(self, body: object, status: int, code: str, **more: Any) -> dict[str, Any]:
        """Send a part that must be refused; returns the problem."""
        response = self.send(body, **more)
        found: dict[str, Any] = json.loads(response.get_data())
        assert (response.status_code, found["code"]) == (status, code), found
        return found

    def names(self) -> list[str]:
        """Return kind and key of what is stored of the whole report that came last."""
        rows = self.org.own(
            "select o.kind || ' ' || o.key from scan.cluster_objects o join scan.cluster_reports r "
            "on (r.org_id, r.account_id, r.id) = (o.org_id, o.account_id, o.report_id) "
            "where o.org_id = :org_id and o.account_id = :account and r.completed_at is not null order by 1",
            account=self.account_id,
        )
        return [row[0] for row in rows]

    def objects(self) -> list[dict[str, Any]]:
        """Return the objects of the whole report that came last, as a scan opens them."""
        deps, actor = self.org.function.deps, actor_in(self.org.id)
        with deps.db.unit(actor) as tx:
            report = reports.find_latest_report(tx, self.account_id)
            assert report is not None, "no whole report came"
            rows = reports.page_objects(tx, self.account_id, report["id"], kinds=None, after=("", ""), most=1000)
        sealer = deps.object_sealer(self.org.id, self.account_id, report)
        return [sealer.open(bytes(row["object_sealed"]), row["kind"], row["key"]) for row in rows]
