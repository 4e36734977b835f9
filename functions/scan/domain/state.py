"""Terraform and OpenTofu state files, read as plain JSON.

Decides what a state file declares. Needs no provider and keeps values as the file has them; must not fetch or store.
Source: Terraform `internal/states/statefile` version 4; OpenTofu documentation, "State and Plan Encryption".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import cast

from ..errors import StateEncrypted, StateTooLarge, StateUnreadable, StateVersionUnsupported
from .regional import placed_declared
from .resources import Attributes, Declared
from .specs import TypeSpec
from .state_json import EXAMPLE, load_document
from .state_places import place_of, provider_of, provider_regions

MOST_RESOURCES = 200_000
_MOST_ADDRESS_BYTES = 2000
_MOST_SERIAL = 2**63 - 1
_IDS = ("id", "arn")
_MOST_DEPOSED_LETTERS = 8  # as many as Terraform gives such an object
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class StateFile:
    """One parsed state.

    Attributes:
        serial: counts up with each write.
        lineage: identity of the state across writes.
        terraform_version: version that wrote it.
        declared: managed resource instances, expanded by their specs; data sources are left out.
    """

    serial: int
    lineage: str
    terraform_version: str
    declared: tuple[Declared, ...]


def parse_state(content: bytes, specs: Mapping[str, TypeSpec]) -> StateFile:
    """Parse the bytes of a state file.

    Args:
        content: the file (see `state_json.load_document`).
        specs: the type table, for keys and parents.

    Raises:
        StateUnreadable: (422 `state_unreadable`) empty, not JSON, or JSON of another kind.
        StateVersionUnsupported: (422 `state_version_unsupported`) a version other than 4.
        StateEncrypted: (422 `state_encrypted`) written by OpenTofu with state encryption.
        StateTooLarge: (413 `state_too_large`) more values or resources than the bounds allow.
    """
    document = load_document(content)
    if "encrypted_data" in document:
        raise StateEncrypted(
            "OpenTofu encrypted this state and DriftWise holds no key to it; `tofu state pull` writes a readable copy, to be uploaded"
        )
    if "planned_values" in document or "format_version" in document:
        raise StateUnreadable("this is the output of `terraform show -json`; the state file itself is needed")
    _check_version(document.get("version"))
    resources = document.get("resources")
    if not isinstance(resources, list):
        raise StateUnreadable("the `resources` member is not a list", member="resources")
    return StateFile(
        serial=_whole_number(document.get("serial")),
        lineage=str(document.get("lineage") or ""),
        terraform_version=str(document.get("terraform_version") or ""),
        declared=_bounded(_declared(resources, specs)),
    )


def _check_version(version: object) -> None:
    """Take version 4, which Terraform has written since 0.12 and OpenTofu from its beginning.

    Source: Terraform `internal/states/statefile/version3_upgrade.go`: a state of version 3 is upgraded when it is written next.
    """
    if version is None:
        raise StateUnreadable(f"there is no `version` member, so this is not a Terraform state; {EXAMPLE}")
    if version == 4 and not isinstance(version, bool):
        return
    is_old = isinstance(version, int) and version < 4
    raise StateVersionUnsupported(
        "DriftWise reads version 4, which Terraform 0.12 and later write; run `terraform apply` once with a current release to upgrade"
        if is_old
        else "DriftWise reads version 4 and does not know this one, which may be newer than it is",
        version=version if isinstance(version, int) else str(version)[:20],
    )


def _whole_number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_SERIAL:
        return value
    raise StateUnreadable("the `serial` member is not a whole number that Terraform writes", member="serial")


def _bounded(found: Iterator[Declared]) -> tuple[Declared, ...]:
    kept = tuple(islice(found, MOST_RESOURCES + 1))
    if len(kept) > MOST_RESOURCES:
        raise StateTooLarge(limit_resources=MOST_RESOURCES)
    return kept


def _declared(resources: list[object], specs: Mapping[str, TypeSpec]) -> Iterator[Declared]:
    regions = provider_regions(resources, specs)
    for position, resource in enumerate(resources):
        if not isinstance(resource, Mapping) or not isinstance(resource.get("instances"), list):
            raise StateUnreadable("an element of `resources` has no `instances`", member=f"resources[{position}]")
        if resource.get("mode") != "managed":
            continue
        for instance in resource["instances"]:
            if not isinstance(instance, Mapping):
                continue
            found = _expanded(_instance(resource, instance, specs, regions), specs)
            found = [placed_declared(item, specs) for item in found]
            yield from _deposed(found, str(instance["deposed"])) if instance.get("deposed") else found


def _expanded(entry: Declared, specs: Mapping[str, TypeSpec]) -> Iterable[Declared]:
    spec = specs.get(entry.type)
    return (entry,) if spec is None or spec.expand is None else spec.expand(entry)


def _deposed(found: Iterable[Declared], name: str) -> Iterator[Declared]:
    """Keep of objects that Terraform is about to destroy only which they are."""
    for item in found:
        if item.key is not None:
            attributes = {member: item.attributes[member] for member in _IDS if member in item.attributes}
            address = f"{item.address} (deposed object {name[:_MOST_DEPOSED_LETTERS]})"
            yield replace(item, address=address, attributes=attributes, parent=None, is_deposed=True)


def _instance(
    resource: Mapping[str, object],
    instance: Mapping[str, object],
    specs: Mapping[str, TypeSpec],
    regions: Mapping[str, str],
) -> Declared:
    kind = str(resource.get("type"))
    attributes, naming = _attributes(instance)
    spec = specs.get(kind)
    account, region = place_of(spec, naming, regions.get(provider_of(resource, instance)))
    return Declared(
        address=_address(resource, instance.get("index_key")),
        type=kind,
        key=spec.key(naming) if spec else None,
        attributes=attributes,
        sensitive=frozenset(_sensitive(instance.get("sensitive_attributes"))),
        parent=spec.parent(naming) if spec else None,
        account=account,
        region=region,
    )


def _attributes(instance: Mapping[str, object]) -> tuple[Attributes, Attributes]:
    """Return the attributes that are compared, and those that tell which resource it is.

    Terraform 0.12 keeps what it took over from a state of version 3 as flat text until it writes the instance anew. Such text has
    lost its types, so the resource is looked for and its attributes are not compared.
    Source: Terraform `internal/states/statefile/version4.go`, `attributes_flat`.
    """
    found = instance.get("attributes")
    if isinstance(found, Mapping):
        return cast("Attributes", found), cast("Attributes", found)
    flat = instance.get("attributes_flat")
    if not isinstance(flat, Mapping):
        return {}, {}
    naming: dict[str, object] = {
        name: value for name, value in flat.items() if isinstance(name, str) and "." not in name
    }
    return {name: naming[name] for name in _IDS if name in naming}, naming


def _address(resource: Mapping[str, object], index_key: object) -> str:
    module = f"{resource['module']}." if resource.get("module") else ""
    address = f"{module}{resource.get('type')}.{resource.get('name')}{_index(index_key)}"
    if len(address.encode()) > _MOST_ADDRESS_BYTES:
        raise StateUnreadable("a resource's address is too long", member=address[:100], limit_bytes=_MOST_ADDRESS_BYTES)
    return address


def _index(key: object) -> str:
    """Write an index key as Terraform prints it.

    Source: Terraform `internal/addrs/instance_key.go`, `toHCLQuotedString`.
    """
    if key is None:
        return ""
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    if not isinstance(key, str):
        return f"[{key}]"
    return '["' + "".join(_quoted(key, position) for position in range(len(key))) + '"]'


def _quoted(text: str, position: int) -> str:
    character = text[position]
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character in "$%":  # a template begins with ${ or %{, so the sign is doubled
        return character * 2 if text[position + 1 : position + 2] == "{" else character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _sensitive(paths: object) -> Iterator[str]:
    """Yield the top-level attribute of each sensitive path (a list of `{"type": "get_attr", "value": name}` steps)."""
    for path in paths if isinstance(paths, list) else ():
        first = path[0] if isinstance(path, list) and path else None
        if isinstance(first, Mapping) and first.get("type") == "get_attr":
            yield str(first.get("value"))
