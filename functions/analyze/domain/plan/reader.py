"""A plan document to what rules judge. Checks the envelope strictly and leaves attributes as the provider wrote them.

Must not judge. Values are hidden here, before anything else sees them.
Source: https://developer.hashicorp.com/terraform/internals/json-format; https://opentofu.org/docs/internals/json-format/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from shared.rules.plan import Change, Plan
from shared.rules.values import Path, dotted

from ...errors import PlanTooLarge, PlanUnreadable, PlanVersionUnsupported
from .configuration import read_references
from .documents import EXAMPLE, load_document
from .hiding import hide
from .owners import read_owners

MOST_CHANGES = 100_000
_NEWEST_MINOR = 2  # of format 1; Terraform 1.14 and OpenTofu 1.11 write 1.2
_ACTIONS = frozenset({"no-op", "create", "read", "update", "delete", "forget"})
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?")
_KNOWN = ("resource_changes", "planned_values", "output_changes", "configuration")


def read_plan(content: bytes | str | Mapping[str, Any]) -> Plan:
    """Read a plan.

    Args:
        content: see `documents.load_document`.

    Returns:
        The plan; sensitive values are not in it.

    Raises:
        PlanUnreadable: (422 `plan_unreadable`) says what it looks like, or which member is wrong.
        PlanVersionUnsupported: (422 `plan_version_unsupported`)
        PlanTooLarge: (413 `plan_too_large`)
    """
    document = load_document(content)
    _refuse_foreign(document)
    notes = [*_version_notes(document["format_version"]), *_state_notes(document)]
    changes = [_change(item, f"resource_changes[{n}]") for n, item in _list(document, "resource_changes")]
    deferred = [_deferred(item, f"deferred_changes[{n}]") for n, item in _list(document, "deferred_changes")]
    if deferred:
        notes.append(f"{len(deferred)} changes are put off to a later plan")
    words = sorted({action for change in changes for action in change.actions} - _ACTIONS)
    notes.extend(f"an action that is not known here: {word[:50]}" for word in words)
    return Plan(
        changes=_unique([*changes, *deferred]),
        drift=_unique([_change(item, f"resource_drift[{n}]") for n, item in _list(document, "resource_drift")]),
        references=read_references(document.get("configuration")),
        checks=tuple(_checks(document.get("checks"))),
        outputs=tuple(_outputs(document.get("output_changes"))),
        own=read_owners(document.get("prior_state")),
        relevant=tuple(_relevant(document.get("relevant_attributes"))),
        terraform_version=_text(document.get("terraform_version"))[:50],
        format_version=str(document["format_version"]),
        notes=tuple(notes),
    )


def _refuse_foreign(document: Mapping[str, Any]) -> None:
    """Refuse JSON that is something else, by what only that has."""
    if "encrypted_data" in document:
        raise PlanUnreadable("OpenTofu encrypted this file; `tofu show -json` decrypts it", looks_like="encrypted")
    if "lineage" in document or ("serial" in document and "terraform_version" in document):
        raise PlanUnreadable(f"this is a Terraform state; {EXAMPLE}", looks_like="state")
    if "@message" in document:
        raise PlanUnreadable(f"this looks like the log of `terraform plan -json`; {EXAMPLE}", looks_like="plan_log")
    if not isinstance(document.get("format_version"), str):
        raise PlanUnreadable(f"the JSON has no `format_version`; {EXAMPLE}", looks_like="json")
    if not any(name in document for name in _KNOWN):
        if "values" in document:
            raise PlanUnreadable(
                f"this is a state, as `terraform show -json` writes it without a plan file; {EXAMPLE}",
                looks_like="state",
            )
        if "provider_schemas" in document:
            raise PlanUnreadable(f"these are provider schemas; {EXAMPLE}", looks_like="provider_schemas")
        if "terraform_version" not in document:
            raise PlanUnreadable(f"the JSON is no plan; {EXAMPLE}", looks_like="json")


def _version_notes(version: str) -> Iterator[str]:
    found = _VERSION.fullmatch(version)
    if found is None:
        raise PlanUnreadable("`format_version` is no version", member="format_version", looks_like="plan")
    major, minor = int(found[1]), int(found[2])
    if major > 1:
        raise PlanVersionUnsupported(
            f"plan format {version[:20]} is newer than 1.x",
            format_version=version[:20],
            newest_known=f"1.{_NEWEST_MINOR}",
        )
    if major == 1 and minor > _NEWEST_MINOR:
        yield f"plan format {version[:20]} is newer than 1.{_NEWEST_MINOR}: what it adds is not judged"


def _state_notes(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("errored") is True:
        yield "planning ended with an error: the plan is not whole"
    elif document.get("complete") is False:
        yield "the plan is not complete: another one follows after the apply"
    if document.get("applyable") is False and document.get("errored") is not True:
        yield "there is nothing to apply"


def _change(item: object, where: str) -> Change:
    if not isinstance(item, Mapping):
        raise _wrong(where, "an object")
    address, kind, body = item.get("address"), item.get("type"), item.get("change")
    if not isinstance(address, str) or not address:
        raise _wrong(f"{where}.address", "a text")
    if not isinstance(kind, str) or not kind:
        raise _wrong(f"{where}.type", "a text")
    if not isinstance(body, Mapping):
        raise _wrong(f"{where}.change", "an object")
    actions = body.get("actions")
    if not isinstance(actions, list) or not all(isinstance(action, str) for action in actions):
        raise _wrong(f"{where}.change.actions", "a list of texts")
    for side in ("before", "after"):
        if not isinstance(body.get(side), Mapping | None):
            raise _wrong(f"{where}.change.{side}", "an object or null")
    before, after = hide(
        body.get("before"), body.get("after"), before_sensitive=body.get("before_sensitive"),
        after_sensitive=body.get("after_sensitive"), unknown=body.get("after_unknown"),
    )  # fmt: skip
    return Change(
        address=address,
        type=kind,
        actions=tuple(actions),
        before=before if isinstance(before, Mapping) else None,
        after=after if isinstance(after, Mapping) else None,
        name=_text(item.get("name")),
        mode="data" if item.get("mode") == "data" else "managed",
        provider=_text(item.get("provider_name")),
        module=_text(item.get("module_address")),
        replace_paths=tuple(_paths(body.get("replace_paths"))),
        reason=_text(item.get("action_reason")) or None,
        previous_address=_text(item.get("previous_address")) or None,
        is_import=isinstance(body.get("importing"), Mapping),
        deposed=_text(item.get("deposed")) or None,
    )


def _deferred(item: object, where: str) -> Change:
    if not isinstance(item, Mapping):
        raise _wrong(where, "an object")
    return replace(
        _change(item.get("resource_change"), f"{where}.resource_change"),
        deferred=_text(item.get("reason")) or "unknown",
    )


def _unique(changes: list[Change]) -> tuple[Change, ...]:
    """Keep each resource once; a repeated address is another program's mistake, and guessing would hide one of the two."""
    seen: set[tuple[str, str]] = set()
    for change in changes:
        if change.key in seen:
            raise PlanUnreadable("the plan names a resource twice", member=change.address[:200], looks_like="plan")
        seen.add(change.key)
    return tuple(changes)


def _paths(value: object) -> Iterator[Path]:
    for path in value if isinstance(value, list) else ():
        if isinstance(path, list) and path and all(isinstance(step, str | int) for step in path):
            yield tuple(path)


def _checks(value: object) -> Iterator[tuple[str, str]]:
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, Mapping):
            continue
        address = item.get("address")
        name = address.get("to_display") if isinstance(address, Mapping) else None
        if item.get("status") in {"fail", "error", "unknown"} and isinstance(name, str):
            yield name, str(item["status"])


def _outputs(value: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, change in sorted(value.items()) if isinstance(value, Mapping) else ():
        actions = change.get("actions") if isinstance(change, Mapping) else None
        if isinstance(actions, list) and actions != ["no-op"]:
            yield name, tuple(str(action) for action in actions)


def _relevant(value: object) -> Iterator[tuple[str, str]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("resource"), str):
            yield item["resource"], next((dotted(path) for path in _paths([item.get("attribute")])), "")


def _list(document: Mapping[str, Any], name: str) -> Iterator[tuple[int, object]]:
    value = document.get(name)
    if not isinstance(value, list | None):
        raise _wrong(name, "a list")
    if value is not None and len(value) > MOST_CHANGES:
        raise PlanTooLarge(limit_changes=MOST_CHANGES)
    yield from enumerate(value or ())


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _wrong(member: str, wanted: str) -> PlanUnreadable:
    return PlanUnreadable(f"`{member}` is not {wanted}", member=member, looks_like="plan")
