"""A Kubernetes cluster whose operator really works, and what somebody does in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from . import kubernetes_objects
from .cloud_journeys import Found, Journey, Told
from .cloud_scene import state_of
from .kubernetes_api import ApiServer
from .operator_process import operating, settings_of
from .waiting import wait_until

_SECRETS = "/api/v1/secrets"
_UNREAD = (
    "HelmRelease",
    "CronTab",
)  # what Helm records is a secret of its own form, and the cluster has no such kind of its own


@dataclass
class ClusterJourney(Journey):
    """A cluster whose operator really works: it lists and watches a recorded API server, and signs what it sends to the suite."""

    permission: ClassVar[str] = "list secrets"
    folder: Path = field(default_factory=Path)
    stack: ExitStack = field(default_factory=ExitStack)
    api: ApiServer = field(default_factory=ApiServer)

    def wish(self) -> dict[str, Any]:
        return {"provider": "kubernetes", "name": "Shop", "external_account": "shop-live"}

    def state(self) -> bytes:
        return state_of((item.type, item.state) for item in _in_cluster())

    def deny(self) -> None:
        """Let an operator report that may not list secrets, and end it."""
        self.stack.enter_context(self.api.serve())
        for item in _in_cluster():
            self.api.put(copy.deepcopy(dict(item.live)))
        self.api.faults[_SECRETS].append((403, {}))
        with self._operator():
            self._wait_for_reports(1)

    def allow(self) -> None:
        """Let another operator report, which stays."""
        self.stack.enter_context(self._operator())
        self._wait_for_reports(2)

    def plant(self) -> dict[Found, Told]:
        settings, cap = _live("kubernetes_config_map"), _live("kubernetes_resource_quota")
        self.api.put({**settings, "data": {**settings["data"], "api_host": "elsewhere:443"}})
        self.api.put({**settings, "metadata": {"name": "stray", "namespace": "shop"}})
        self.api.delete(cap)
        names = {"ConfigMap shop/stray": True, "ResourceQuota shop/cap": False}
        wait_until(lambda: all((name in self._names()) is held for name, held in names.items()), "the operator told it")
        nobody = Told(actor=None)
        return {
            ("changed", "kubernetes_config_map_v1", "data.api_host"): nobody,
            ("missing", "kubernetes_resource_quota_v1", "shop/cap"): nobody,
            ("unmanaged", "kubernetes_config_map_v1", "shop/stray"): Told(None, "shop/stray"),
        }

    def heal(self) -> set[Found]:
        settings = _live("kubernetes_config_map")
        self.api.put(settings)
        self.api.delete({**settings, "metadata": {"name": "stray", "namespace": "shop"}})
        wait_until(lambda: "ConfigMap shop/stray" not in self._names(), "the operator told it")
        return {
            ("changed", "kubernetes_config_map_v1", "data.api_host"),
            ("unmanaged", "kubernetes_config_map_v1", "shop/stray"),
        }

    @contextmanager
    def _operator(self) -> Iterator[None]:
        key = self.org.send("POST", "/api-keys", json={"name": "operator", "scopes": ["report"]})["raw_key"]
        settings = settings_of(self.folder, self.estate.suite.url, self.api.url, account_id=self.account, page=100)
        settings.api_key_file.write_text(key + "\n", "utf-8")
        with operating(settings) as running:
            wait_until(lambda: running.health.is_whole, "the operator's whole report was taken", timeout_seconds=60)
            yield

    def _wait_for_reports(self, number: int) -> None:
        """Wait until so many reports were scanned: each whole one starts a scan by itself."""

        def are_scanned() -> bool:
            scans = self.org.send("GET", "/scans")["items"]
            done = [scan for scan in scans if scan["account_id"] == self.account and scan["status"] == "done"]
            return len(done) >= number

        wait_until(are_scanned, f"{number} reports were scanned", timeout_seconds=60)

    def _names(self) -> set[str]:
        statement = (
            "select kind || ' ' || key from scan.cluster_objects where org_id = :org_id and account_id = :account"
        )
        return {row[0] for row in self.org.arrange(statement, account=self.account)}


def _in_cluster() -> list[kubernetes_objects.Fixture]:
    return [item for item in kubernetes_objects.fixtures() if item.live["kind"] not in _UNREAD]


def _live(kind: str) -> dict[str, Any]:
    return copy.deepcopy(dict(kubernetes_objects.fixture(kind).live))
