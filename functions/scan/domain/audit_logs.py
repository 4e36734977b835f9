"""Which entry of Cloud Audit Logs explains a drift in Google Cloud, and what it says of who did it.

Decides what an entry means; must not ask Google. Entries are of the log of admin activity, which holds writes only.
Source: https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog;
https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry; https://cloud.google.com/iam/docs/audit-logging.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from .attribution import Answer, Confidence, Question, best
from .trail import Actor, Channel, TrailEvent

_MOST_TEXT = 500
_HOST = re.compile(r"//([^/]+)/")
_BUCKET = "storage.googleapis.com"
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[._]")
_CREATE = frozenset({"create", "insert", "import", "restore", "clone", "add", "enable", "upload", "register"})
_DELETE = frozenset({"delete", "destroy", "remove", "disable", "purge"})
_GRANT = re.compile(r"_iam_(?:member|binding|policy)$")
# Services that have policies call it `SetIamPolicy`, IAM itself `SetIAMPolicy`, Cloud Storage `storage.setIamPermissions`.
_GRANTING = ("setiampolicy", "setiampermissions")
_AGENT = re.compile(r"(?:service-\d+@[a-z0-9.-]+|\d+@cloudservices|[a-z0-9-]+@system)\.(?:iam\.)?gserviceaccount\.com")
_TERRAFORM = ("terraform", "opentofu", "terragrunt", "pulumi")


def names_of(question: Question) -> tuple[str, ...]:
    """Return what an entry may call the resource: its path, for buckets the one without a project."""
    whole = _full_name(question)
    found = _HOST.match(whole)
    path = whole.removeprefix(found[0]) if found else whole
    if found and found[1] == _BUCKET:
        return (f"projects/_/buckets/{path.split('/', 1)[0]}",)
    return (path,) if path else ()


def place_of(question: Question, parent: str) -> str:
    """Return whose log the calls on a resource are in.

    Args:
        question: the item.
        parent: what is scanned, for a resource whose name does not tell.
    """
    found = re.search(r"(?:projects|folders|organizations)/[^/ ]+", _full_name(question))
    return found[0] if found and not found[0].endswith("/_") else parent


def _full_name(question: Question) -> str:
    """Return the resource's full name; what is missing has only its id in a state (`shop-static`), while its key is the name."""
    cloud_id, key = question.cloud_id or "", question.key.partition("|")[0]
    return key if key.startswith("//") and not cloud_id.startswith("//") else cloud_id.split(" ", 1)[0]


def is_in_some_project(question: Question) -> bool:
    """Say whether a resource lies in a project that its name does not tell, as buckets do."""
    return _full_name(question).startswith(f"//{_BUCKET}/")


def parse_entry(entry: Mapping[str, Any]) -> TrailEvent | None:
    """Read one entry; None for one that does not say what was called and when, and for the end of a call that takes long."""
    payload = entry.get("protoPayload")
    when = _time(entry.get("timestamp"))
    if not isinstance(payload, Mapping) or when is None or not payload.get("methodName"):
        return None
    operation = _object(entry.get("operation"))
    if operation.get("last") and not operation.get("first"):
        return None
    status = _object(payload.get("status"))
    who, how = _object(payload.get("authenticationInfo")), _object(payload.get("requestMetadata"))
    agent = _text(how.get("callerSuppliedUserAgent"))
    actor = _actor(who)
    return TrailEvent(
        id=str(entry.get("insertId") or "")[:_MOST_TEXT],
        time=when,
        source=str(payload.get("serviceName") or "")[:_MOST_TEXT],
        name=str(payload["methodName"])[:_MOST_TEXT],
        region=str(_object(payload.get("resourceLocation")).get("currentLocations") or ["global"])[:_MOST_TEXT].strip(
            "[]'"
        ),
        actor=actor,
        address=_text(how.get("callerIp")),
        user_agent=agent,
        channel=_channel(agent, actor),
        request_id=_text(operation.get("id")),
        is_read_only=False,
        error_code=str(status["code"]) if status.get("code") else None,
        resources=frozenset({str(payload.get("resourceName") or "")}),
        request={**_object(payload.get("request")), "$deltas": _deltas(payload)},
        response={},
    )


def choose(question: Question, events: Iterable[TrailEvent]) -> Answer | None:
    """Choose the call that explains a drift, as `attribution.choose` does it for AWS.

    Args:
        question: the item.
        events: entries about the resource, in any order.
    """
    fitting: list[tuple[TrailEvent, Confidence]] = []
    for event in events:
        if event.error_code is None and event.time <= question.seen_at:
            certainty = _certainty(question, event)
            if certainty is not None:
                fitting.append((event, certainty))
    return best(question, fitting)


def _certainty(question: Question, event: TrailEvent) -> Confidence | None:
    words = [word.lower() for word in _WORD.split(event.name) if word]
    last = words[-4:]
    if _GRANT.search(question.type):
        return _of_grant(question, event) if "".join(words).endswith(_GRANTING) else None
    is_create, is_delete = bool(_CREATE.intersection(last)), bool(_DELETE.intersection(last))
    if question.kind == "missing":
        return "exact" if is_delete else None
    if question.kind == "unmanaged":
        return "exact" if is_create else None
    if is_create or is_delete:
        return None
    return "exact" if _touches(question.path or "", words, event.request) else "likely"


def _of_grant(question: Question, event: TrailEvent) -> Confidence | None:
    """Compare what a call did to a policy with a grant (`resource|role|condition|member`)."""
    _, _, grant = question.key.partition("|")
    role, _, rest = grant.partition("|")
    member = rest.partition("|")[2]
    wanted = "REMOVE" if question.kind == "missing" else "ADD"
    deltas: Sequence[tuple[str, str, str]] = event.request.get("$deltas", ())
    if not deltas:
        return "likely"
    fits = any(action == wanted and role == one and member.lower() == other.lower() for action, one, other in deltas)
    return "exact" if fits else None


def _touches(path: str, words: Sequence[str], request: Mapping[str, Any]) -> bool:
    """Say whether a call names the attribute: in what it asks for, or in its own name (`setLabels`)."""
    attribute = re.split(r"[.\[]", path, maxsplit=1)[0]
    wanted = attribute.replace("_", "").lower()
    if not wanted:
        return False
    named = {str(name).lower() for name in request}
    for value in request.values():
        if isinstance(value, Mapping):
            named |= {str(name).lower() for name in value}
    return wanted in named or wanted in "".join(words[-4:])


def _deltas(payload: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Return what a call did to a policy: action, role and member of each."""
    held = _object(_object(payload.get("serviceData")).get("policyDelta"))
    held = held or _object(_object(payload.get("metadata")).get("policyDelta"))
    found = held.get("bindingDeltas")
    items = found if isinstance(found, list) else []
    return tuple(
        (str(item.get("action")), str(item.get("role")), str(item.get("member")))
        for item in items[:_MOST_TEXT]
        if isinstance(item, Mapping)
    )


def _actor(who: Mapping[str, Any]) -> Actor:
    email, subject = _text(who.get("principalEmail")), _text(who.get("principalSubject"))
    chain = who.get("serviceAccountDelegationInfo")
    first = _object(chain[0]) if isinstance(chain, list) and chain else {}
    behind = _text(_object(first.get("firstPartyPrincipal")).get("principalEmail")) or _text(
        first.get("principalSubject")
    )
    name = email or subject
    is_account = bool(email and email.endswith(".gserviceaccount.com"))
    kind = "ServiceAccount" if is_account else "User" if email else "Principal" if subject else "Unknown"
    service = email if email and _AGENT.fullmatch(email) else None
    return Actor(kind, None, name, None, behind, service)


def _channel(agent: str | None, actor: Actor) -> Channel:
    text = (agent or "").lower()
    if any(name in text for name in _TERRAFORM):
        return "terraform"
    if "gcloud" in text or "cloud-sdk" in text:
        return "cli"
    if text.startswith("mozilla/"):
        return "console"
    return "service" if actor.invoked_by else "api"


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return str(value)[:_MOST_TEXT] if isinstance(value, str) and value else None


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value)[:40])
    except ValueError:
        return None
    return found if found.tzinfo else None
