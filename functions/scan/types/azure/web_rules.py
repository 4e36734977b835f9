"""Rules by which App Service heals a web application and serves its parts.

Source: Terraform AzureRM provider 4, `site_config` of web applications; Azure REST API, "Web Apps - Get Configuration".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ...domain.shapes import (
    Canonical,
    Shape,
    block,
    boolean,
    folded_text,
    members,
    number_or_zero,
    set_of,
    text,
)
from .mapping import Attribute, Attributes, at, some_blocks


def stack(value: object) -> Canonical:
    """What a machine runs (`NODE|20-lts`): only names of images carry meaning in their case."""
    found = text(value)
    if not isinstance(found, str):
        return found
    kind, bar, what = found.partition("|")
    return f"docker|{what}" if bar and kind.lower() == "docker" else found.lower()


_COUNTED: Mapping[str, Shape] = {"count": number_or_zero, "interval": text}
_SLOW: Mapping[str, Shape] = {**_COUNTED, "time_taken": text}
_ANSWERED: Mapping[str, Shape] = {
    **_COUNTED,
    "path": text,
    "status_code_range": text,
    "sub_status": number_or_zero,
    "win32_status_code": number_or_zero,
}
_HEALING = block({
    "action": block({
        "action_type": folded_text,
        "custom_action": block({"executable": text, "parameters": text}),
        "minimum_process_execution_time": text,
    }),
    "trigger": block({
        "private_memory_kb": number_or_zero,
        "requests": block(_COUNTED),
        "slow_request": block(_SLOW),
        "slow_request_with_path": set_of(members({**_SLOW, "path": text})),
        "status_code": set_of(members(_ANSWERED)),
    }),
})  # fmt: skip


def _listed(found: Any) -> list[Mapping[str, Any]]:
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _counted(found: Any) -> dict[str, object]:
    return {"count": at(found, "count"), "interval": at(found, "timeInterval")}


def _slow(found: Any) -> dict[str, object]:
    return {**_counted(found), "path": at(found, "path"), "time_taken": at(found, "timeTaken")}


def _answered(found: Any) -> list[dict[str, object]]:
    """Write answers that count: Azure keeps single codes and ranges of them apart, the provider in one list."""
    one = [
        {
            **_counted(item),
            "path": at(item, "path"),
            "status_code_range": None if at(item, "status") is None else str(at(item, "status")),
            "sub_status": at(item, "subStatus"),
            "win32_status_code": at(item, "win32Status"),
        }
        for item in _listed(at(found, "statusCodes"))
    ]
    ranges = [
        {**_counted(item), "path": at(item, "path"), "status_code_range": at(item, "statusCodes")}
        for item in _listed(at(found, "statusCodesRange"))
    ]
    return [*one, *ranges]


def _healing(found: Any) -> object:
    triggers, actions = at(found, "triggers"), at(found, "actions")
    custom = at(actions, "customAction")
    action = {
        "action_type": at(actions, "actionType"),
        "custom_action": [{"executable": at(custom, "exe"), "parameters": at(custom, "parameters")}] if custom else [],
        "minimum_process_execution_time": at(actions, "minProcessExecutionTime"),
    }
    requests, slow = at(triggers, "requests"), at(triggers, "slowRequests")
    trigger = {
        "private_memory_kb": at(triggers, "privateBytesInKB"),
        "requests": [_counted(requests)] if requests else [],
        "slow_request": [_slow(slow)] if slow else [],
        "slow_request_with_path": [_slow(item) for item in _listed(at(triggers, "slowRequestsWithPath"))],
        "status_code": _answered(triggers),
    }
    return [{"action": [action], "trigger": [trigger]}]


_APPLICATIONS = set_of(
    members({
        "physical_path": text,
        "preload": boolean,
        "virtual_directory": set_of(members({"physical_path": text, "virtual_path": text})),
        "virtual_path": text,
    })
)  # fmt: skip


def _applications(value: object) -> Canonical:
    """Paths that a site serves; the one that every site has says nothing, and versions of the provider differ in when they write it."""
    items = _listed(value)
    if len(items) == 1 and not items[0].get("virtual_directory"):
        only = (items[0].get("virtual_path"), str(items[0].get("physical_path")).lower())
        if only == ("/", "site\\wwwroot"):
            return None
    return _APPLICATIONS(items)


def _served(found: Any) -> object:
    return [
        {
            "physical_path": at(item, "physicalPath"),
            "preload": at(item, "preloadEnabled"),
            "virtual_directory": [
                {"physical_path": at(inner, "physicalPath"), "virtual_path": at(inner, "virtualPath")}
                for inner in _listed(at(item, "virtualDirectories"))
            ],
            "virtual_path": at(item, "virtualPath"),
        }
        for item in _listed(found)
    ]


HEALING: Final = Attribute(_HEALING, "autoHealRules", _healing)
SERVED: Final[Attributes] = {
    "handler_mapping": some_blocks(
        {
            "arguments": Attribute(text),
            "extension": Attribute(text),
            "script_processor_path": Attribute(text, "scriptProcessor"),
        },
        "handlerMappings",
    ),
    "virtual_application": Attribute(_applications, "virtualApplications", _served),
}
