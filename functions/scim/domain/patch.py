"""PATCH: all operations, or none. Source: RFC 7644 section 3.5.2, and what Okta and Entra ID send (ADR 0025).

Where the RFC leaves a choice, or a provider departs from it:
- a value path that selects nothing: `add` makes the element that the filter describes, and so does `replace` of a sub-attribute of it (Entra ID);
  `replace` of the element itself is `noTarget`; `remove` has nothing to do, so that a repeated one succeeds;
- `remove` of a multi-valued attribute with a `value` removes those values, and never all (Entra ID);
- a value that becomes primary is the only one that is;
- adding a value that is there, by its `value` and `type`, changes the one that is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .elements import added, with_one_primary, without
from .errors import Mutability, NoTarget, TooMany
from .filter_tree import And, Comparison, Filter
from .matching import matches_element
from .operations import ExtensionRemoval, Operation, Step, steps_of, whole
from .paths import Place
from .schemas import Attribute, ResourceSchema, Target
from .values import Resource, check_same_id, check_whole, read_single, read_value

MOST_COMPARED: Final = 200_000

Element = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PatchResult:
    """What a PATCH comes to.

    Attributes:
        resource: the new state; the one that came in is left as it was, and shares with it what was not changed.
        changed: whether it differs.
    """

    resource: Resource
    changed: bool


def apply_patch(
    resource: Mapping[str, Any], operations: Sequence[Operation], resource_schema: ResourceSchema
) -> PatchResult:
    """Apply operations in their order; all of them, or an error and none.

    Args:
        resource: as it is kept: names in the schema's letters, each extension under its URN.
        operations: from `parse_patch`.
        resource_schema: of the resource.

    Raises:
        InvalidPath: (400 `invalidPath`), InvalidFilter: (400 `invalidFilter`) a path is not right.
        InvalidValue: (400 `invalidValue`) a value is missing or wrong, or the outcome is.
        Mutability: (400 `mutability`) the attribute is read-only, required, or cannot change once it is set.
        NoTarget: (400 `noTarget`) the path selects nothing that could be replaced.
        TooMany: (400 `tooMany`) too many values would have to be compared.
    """
    patched = _Patched(
        {name: dict(value) if name in resource_schema.extensions else value for name, value in resource.items()}
    )
    for step in steps_of(operations, resource_schema):
        patched.apply(step)
    check_whole(patched.resource, resource_schema)
    return PatchResult(patched.resource, patched.resource != resource)


@dataclass
class _Patched:
    resource: Resource
    compared: int = 0

    def apply(self, step: Step | ExtensionRemoval) -> None:
        if isinstance(step, ExtensionRemoval):
            self.resource.pop(step.urn, None)
            return
        target = step.place.target
        if target.attribute.name == "id" and step.op != "remove":
            check_same_id(step.value, self.resource)
            return
        if _is_read_only(target):
            if step.named:
                raise Mutability(f"{target.path} is read-only")
            return
        holder = self.resource.setdefault(target.urn, {}) if target.urn else self.resource
        try:
            if target.attribute.multi_valued:
                self._apply_to_elements(holder, step, step.place)
            elif target.sub is not None:
                _set_part(holder, step, target, target.sub)
            else:
                _set_whole(holder, step, target)
        finally:
            if target.urn and not holder:
                del self.resource[target.urn]

    def _apply_to_elements(self, holder: Resource, step: Step, place: Place) -> None:
        name = place.target.attribute.name
        elements: list[Any] = holder.get(name) or []
        self.compared += len(elements)
        if self.compared > MOST_COMPARED:
            raise TooMany("the operations compare too many values")
        if place.is_element_wise:
            elements = _change_elements(elements, step, place)
        elif step.op == "add":
            elements = added(elements, _read_elements(step.value, place.target), place.target)
        elif step.op == "replace":
            elements = added([], _read_elements(step.value, place.target), place.target)
        elif step.value is None:
            elements = []
        else:
            elements = without(elements, _read_elements(step.value, place.target), place.target)
        elements = [element for element in elements if element not in ({}, None)]
        if elements:
            holder[name] = elements
        else:
            holder.pop(name, None)


def _is_read_only(target: Target) -> bool:
    return target.attribute.mutability == "readOnly" or target.leaf.mutability == "readOnly"


def _read_elements(value: object, target: Target) -> list[Any]:
    return read_value(value, whole(target)) or []


def _set_whole(holder: Resource, step: Step, target: Target) -> None:
    """Set or remove a single-valued attribute; a complex one keeps what the value does not name (RFC 7644 section 3.5.2.3)."""
    name = target.attribute.name
    read = None if step.op == "remove" else read_value(step.value, target)
    sent = _one(step.value)
    if target.attribute.type == "complex" and step.op != "remove" and isinstance(sent, Mapping):
        read = _merged(holder.get(name) or {}, read or {}, sent, target.attribute)
    if read in (None, {}):
        _refuse_removal(target)
        holder.pop(name, None)
    else:
        holder[name] = read


def _set_part(holder: Resource, step: Step, target: Target, sub: Attribute) -> None:
    name = target.attribute.name
    part = _read_part(step, target)
    found = holder.get(name)
    new = dict(found) if isinstance(found, Mapping) else {}
    _put(new, sub, part, target)
    if new:
        holder[name] = new
    else:
        holder.pop(name, None)


def _refuse_removal(target: Target) -> None:
    if target.leaf.required and target.sub is None:
        raise Mutability(f"{target.path} is required")


def _read_part(step: Step, target: Target) -> Any:
    if step.op == "remove":
        return None
    value = step.value
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if isinstance(value, Mapping) and set(value) == {"value"}:
        value = value["value"]
    return read_single(value, target)


def _merged(
    found: Mapping[str, Any], read: Mapping[str, Any], sent: Mapping[str, object], attribute: Attribute
) -> Element:
    """Lay what was sent over what is there; `null` takes a sub-attribute away, another `value` its old `$ref`."""
    gone = {sub.name for key, value in sent.items() if value is None and (sub := attribute.sub(key)) is not None}
    if read.get("value") == "":  # nobody is the manager
        gone.add("value")
        read = {name: part for name, part in read.items() if name != "value"}
    if "value" in gone or read.get("value", found.get("value")) != found.get("value"):
        gone.add("$ref")
    return {name: value for name, value in found.items() if name not in gone} | dict(read)


def _put(element: Element, sub: Attribute, part: Any, target: Target) -> None:
    """Set or take away one sub-attribute of one value.

    Raises:
        Mutability: (400 `mutability`) it cannot change once it is set.
    """
    old = element.get(sub.name)
    if old == part:
        return
    if sub.mutability == "immutable" and old is not None:
        raise Mutability(f"{target.path} cannot change once it is set")
    if part is None:
        element.pop(sub.name, None)
        return
    element[sub.name] = part
    if sub.name == "value":
        element.pop("$ref", None)


def _change_elements(elements: list[Any], step: Step, place: Place) -> list[Any]:
    """Change the elements that a path selects; makes one where the module's text says so."""
    target, selected = place.target, place.selected
    touched = [
        index for index, element in enumerate(elements) if selected is None or matches_element(selected, element)
    ]
    if not touched and step.op != "remove":
        return _with_new_element(elements, step, place)
    new = [dict(element) for element in elements]
    if target.sub is not None:
        part = _read_part(step, target)
        for index in touched:
            _put(new[index], target.sub, part, target)
    elif step.op == "remove":
        gone = set(touched)
        return [element for index, element in enumerate(new) if index not in gone]
    else:
        read = read_single(_one(step.value), target) or {}
        for index in touched:
            new[index] = _replaced(new[index], read, step, target)
    return with_one_primary(new, touched)


def _one(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _replaced(element: Element, read: Element, step: Step, target: Target) -> Element:
    """Replace an element by a whole one; `add`, and a bare text, change what they name only."""
    for name, part in read.items():
        sub = target.attribute.sub(name)
        if sub is not None and sub.mutability == "immutable" and element.get(name, part) != part:
            raise Mutability(f"{target.path}.{name} cannot change once it is set")
    sent = _one(step.value)
    if step.op == "replace" and isinstance(sent, Mapping):
        return dict(read)
    return _merged(element, read, sent if isinstance(sent, Mapping) else {}, target.attribute)


def _with_new_element(elements: list[Any], step: Step, place: Place) -> list[Any]:
    target = place.target
    described = _described(place.selected)
    if described is None or (step.op == "replace" and target.sub is None):
        raise NoTarget(f"nothing in {whole(target).path} is as the path selects")
    if target.sub is None:
        read = read_single(_one(step.value), target) or {}
    else:
        part = _read_part(step, target)
        if part is None:
            return elements
        read = {target.sub.name: part}
    return added(elements, [{**described, **read}], target)


def _described(selected: Filter | None) -> Element | None:
    """Return the element that a filter of nothing but `eq` and `and` describes; None for another filter."""
    if selected is None:
        return {}
    found: Element = {}
    for part in selected.parts if isinstance(selected, And) else (selected,):
        if not isinstance(part, Comparison) or part.operator != "eq" or part.target.sub is None:
            return None
        found[part.target.sub.name] = part.value
    return found
