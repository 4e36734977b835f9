"""Which members of a live document change by themselves: times, runtime states, counters, revisions, traces of use.

Decides by a member's name and value, for every cloud API alike. A rule may only fold what nobody configures: a state word is
folded where it tells how a thing is, never where it is a switch (`Enabled`, `Inactive`), and nothing is folded within
maps whose names are free (tags, environment, labels, parameters). Must not know any type.
Source: AWS API references; members seen in replies of Describe and Get calls.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TypeAlias

Words: TypeAlias = tuple[str, ...]

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_TIME_ENDS = frozenset({"time", "date", "timestamp", "datetime", "at", "on", "modified", "updated", "used", "seen"})
_PAST = frozenset(
    {
        "last", "latest", "earliest", "create", "created", "creation", "modified", "modify", "update", "updated", "launch", "launched",
        "attach", "attached", "restorable", "registered", "changed", "transition", "heartbeat", "started", "joined", "provisioned",
        "next",
    }
)  # fmt: skip
_TRACES = frozenset(
    {
        "used",
        "accessed",
        "login",
        "activity",
        "heartbeat",
        "seen",
        "invoked",
        "executed",
        "modified",
        "updated",
        "changed",
    }
)
_STATE_ENDS = frozenset({"status", "state", "phase", "health", "reason", "message"})
# How a thing is doing. Left out on purpose: enabled, disabled, inactive, suspended, pendingdeletion, which somebody decides.
_RUNTIME = frozenset(
    {
        "active", "alarm", "applying", "associated", "associating", "attached", "attaching", "available", "backingup", "busy", "complete",
        "completed", "configuring", "creating", "createcomplete", "deleting", "deployed", "deploying", "detached", "detaching", "draining",
        "failed", "healthy", "idle", "impaired", "initial", "initializing", "inprogress", "insufficientdata", "insync", "inuse", "issued",
        "maintenance", "modifying", "ok", "optimizing", "pending", "pendingreboot", "pendingvalidation", "provisioned", "provisioning",
        "ready", "rebooting", "registered", "registering", "renaming", "running", "scaling", "shuttingdown", "starting", "stopped",
        "stopping", "succeeded", "success", "successful", "transitioning", "unhealthy", "unknown", "unused", "updatecomplete", "updating",
        "upgrading", "verified", "verifying", "waiting", "warming",
    }
)  # fmt: skip
_MEASURED = frozenset(
    {
        "approximate", "attachment", "available", "consumed", "current", "failed", "item", "pending", "remaining", "running", "stored", "total",
        "used", "active", "inflight", "known",
    }
)  # fmt: skip
_COUNTS = frozenset(
    {"count", "counts", "bytes", "size", "number", "messages", "delayed", "visible", "percentage", "units"}
)
_SIZES = frozenset(
    {
        "resourcerecordsetcount",
        "numberofdecreasestoday",
        "imagecount",
        "metricfiltercount",
        "codesize",
        "sizeinbytes",
        "tablesizebytes",
        "indexsizebytes",
        "repositorysizeinbytes",
        "imagesizeinbytes",
    }
)
_REVISIONS = frozenset(
    {
        "changetoken", "concurrencytoken", "etag", "keypairid", "latestrevision", "latestrevisionid", "locktoken", "nexttoken", "resourceversion",
        "responsemetadata", "revisionid", "secretversionstostages", "sequencenumber", "updatetoken", "versionidstostages", "versionlag",
    }
)  # fmt: skip
_PROGRESS = frozenset(
    {
        "deployments", "events", "pendingcloudwatchlogsexports", "pendingmaintenanceactions", "pendingmodifiedvalues", "percentprogress",
        "progress", "publicdnsname", "publicipaddress", "recentevents", "statedescription", "statetransitionreason", "statusinfos",
    }
)  # fmt: skip
# What others attach to a thing shows in the others; the thing itself stays as its own state has it.
_BACK_REFERENCES = frozenset(
    {
        "associationid", "associations", "attachedvolumes", "attachments", "autoscalinggroups", "dbclustermembers", "dhcpoptionsid", "inuseby",
        "loadbalancerarns", "networkinterfaceownerid", "networkinterfaces", "readreplicadbclusteridentifiers", "readreplicadbinstanceidentifiers",
        "readreplicaidentifiers", "subscriptionsconfirmed", "subscriptionsdeleted", "subscriptionspending", "tasksets",
    }
)  # fmt: skip
_FREE = frozenset(
    {
        "annotations", "argumentsmap", "defaultarguments", "dockerlabels", "environment", "environmentvariables", "labels", "metadata",
        "nonoverridablearguments", "optionsettings", "parameters", "properties", "requestparameters", "responseparameters",
        "sparkproperties", "stagevariables", "tag", "taglist", "tags", "tagset", "userattributes", "variables",
    }
)  # fmt: skip


@lru_cache(maxsize=8192)
def words(name: str) -> Words:
    """Split a member's name into lower-case words: `DBInstanceStatus` gives `db, instance, status`."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=8192)
def joined(name: str) -> str:
    """Return a name without case and separators, so that `VisibilityTimeout` and `visibility_timeout` are one."""
    return "".join(words(name))


def is_free_form(name: str) -> bool:
    """Say whether the names within a member are people's own, so that no rule may read anything into them."""
    return joined(name) in _FREE


@dataclass(frozen=True, slots=True)
class VolatileRule:
    """One family of members that change by themselves.

    Attributes:
        id: stable name.
        applies: whether it speaks about a member, by name and value.
    """

    id: str
    applies: Callable[[str, object], bool]


def is_volatile(name: str, value: object) -> bool:
    """Say whether a member changes by itself."""
    return any(rule.applies(name, value) for rule in RULES)


def _is_time(name: str, value: object) -> bool:
    if not isinstance(value, str | int | float | datetime | date) or isinstance(value, bool):
        return False
    if isinstance(value, str) and not re.search(r"[0-9]{4}", value):
        return False
    found = words(name)
    return bool(found) and found[-1] in _TIME_ENDS and bool(_PAST.intersection(found))


def _is_trace(name: str, _value: object) -> bool:
    found = words(name)
    return "last" in found and bool(_TRACES.intersection(found))


def _is_runtime_state(name: str, value: object) -> bool:
    found = words(name)
    if not found or found[-1] not in _STATE_ENDS:
        return False
    if found[-1] in {"reason", "message"}:
        return bool({"state", "status", "failure", "transition"}.intersection(found[:-1]))
    if isinstance(value, dict):  # EC2 spells {"Code": 16, "Name": "running"}, others {"Code": "active", "Message": ""}
        told = [
            value[key] for key in ("Name", "Code", "State", "Status", "code", "name") if isinstance(value.get(key), str)
        ]
        return bool(told) and all(_is_runtime_word(word) for word in told)
    return isinstance(value, str) and _is_runtime_word(value)


def _is_runtime_word(value: object) -> bool:
    return re.sub(r"[^a-z]", "", str(value).lower()) in _RUNTIME


def _is_counter(name: str, value: object) -> bool:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return False
    found = words(name)
    if joined(name) in _SIZES:
        return True
    return len(found) > 1 and found[0] in _MEASURED and bool(_COUNTS.intersection(found[1:]))


RULES: tuple[VolatileRule, ...] = (
    VolatileRule("times", _is_time),
    VolatileRule("traces-of-use", _is_trace),
    VolatileRule("runtime-states", _is_runtime_state),
    VolatileRule("counters", _is_counter),
    VolatileRule("revisions", lambda name, _value: joined(name) in _REVISIONS),
    VolatileRule("back-references", lambda name, _value: joined(name) in _BACK_REFERENCES),
    VolatileRule("progress", lambda name, _value: joined(name) in _PROGRESS),
)
