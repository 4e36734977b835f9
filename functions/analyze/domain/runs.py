"""A run of Terraform Cloud as its notifications and its API tell of it. Pure.

Source: https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations#notification-payload;
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run#show-a-run;
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/configuration-versions#show-a-configuration-version-s-commit-information.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import PlanUnreadable
from .code_hosts import host_of

_KIND: Final = "terraform_cloud"
_RUN_ID: Final = re.compile(r"run-[A-Za-z0-9]{1,64}")
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_MOST_BRANCH, _MOST_NAME, _MOST_OWNER, _MOST_URL = 300, 150, 255, 500


@dataclass(frozen=True, slots=True)
class RunNotice:
    """What a notification says of a run.

    Attributes:
        run_id: as the API takes it.
        organisation: whose run it is, in lower case.
        host: where it is, in lower case.
        is_applied: its plan was judged before, if anybody asked, and nothing can be done about it any more.
    """

    run_id: str
    organisation: str
    host: str
    is_applied: bool


def read_notice(document: Mapping[str, Any]) -> RunNotice:
    """Read a notification about a run.

    Raises:
        PlanUnreadable: (422 `plan_unreadable`) it names no run.
    """
    run_id, organisation = document.get("run_id"), document.get("organization_name")
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id) or not isinstance(organisation, str):
        raise PlanUnreadable("the notification names no run", looks_like="json")
    notices = document.get("notifications")
    first = notices[0] if isinstance(notices, list) and notices and isinstance(notices[0], Mapping) else {}
    url = document.get("run_url")
    host = host_of(url) if isinstance(url, str) else ""
    return RunNotice(run_id, organisation.lower(), host, first.get("run_status") == "applied")


def choose_connection(hosts: Sequence[Mapping[str, Any]], notice: RunNotice) -> Mapping[str, Any] | None:
    """Return the connection for a run; None when there is none, or two that fit alike."""
    fitting = [
        host
        for host in hosts
        if host["kind"] == _KIND and host["owner"] == notice.organisation and notice.host in {"", host_of(host["url"])}
    ]
    return fitting[0] if len(fitting) == 1 else None


def ci_of(run: object) -> dict[str, Any]:
    """Return where a run's configuration comes from, as far as it comes from a repository.

    Args:
        run: the API's document of a run, with `configuration_version.ingress_attributes` included.
    """
    included = run.get("included") if isinstance(run, Mapping) else None
    for item in included if isinstance(included, list) else []:
        attributes = item.get("attributes") if isinstance(item, Mapping) else None
        if isinstance(attributes, Mapping) and item.get("type") == "ingress-attributes":
            return _facts(attributes)
    return {}


def _facts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    owner, _, name = _text(attributes, "identifier", _MOST_OWNER + 1 + _MOST_NAME).rpartition("/")
    number = attributes.get("pull-request-number")
    commit = _text(attributes, "commit-sha", 64)
    found = {
        "repo_owner": owner if len(owner) <= _MOST_OWNER else "",
        "repo_name": name if len(name) <= _MOST_NAME else "",
        "repo_url": _text(attributes, "clone-url", _MOST_URL),
        "branch": _text(attributes, "branch", _MOST_BRANCH),
        "commit_sha": commit if _COMMIT.fullmatch(commit) else "",
        "actor": _text(attributes, "sender-username", 200),
        "pr_number": number
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**31
        else None,
    }
    return {key: value for key, value in found.items() if value}


def _text(attributes: Mapping[str, Any], name: str, most: int) -> str:
    found = attributes.get(name)
    return found if isinstance(found, str) and len(found) <= most else ""
