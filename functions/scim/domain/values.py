"""What a client sends, made into what is kept: names in the schema's letters, values of the schema's types, sizes bounded.

Unknown attributes and extensions are dropped, `null`, `[]` and `{}` are no value (RFC 7643 section 2.5). Values are kept as they came:
no address or number is rewritten. Two habits are read: booleans as text, and one value wrapped as a list or a list of one as the value.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from shared.storable import is_storable

from .errors import InvalidSyntax, InvalidValue, Mutability
from .scalars import read_boolean, read_moment
from .schemas import Attribute, ResourceSchema, Target, sub_target

MOST_TEXT: Final = 1_024
MOST_TEXT_OF: Final = {"photos.value": 8_192, "x509Certificates.value": 16_384, "profileUrl": 4_096}
MOST_VALUES: Final = 100
MOST_MEMBERS: Final = 20_000
MOST_DOCUMENT_BYTES: Final = 65_536
_SERVED: Final = {"schemas", "id", "meta"}

Resource = dict[str, Any]


def read_new(body: object, schema: ResourceSchema) -> Resource:
    """Read the body of a POST.

    Returns:
        what is kept; a user without `active` is active, which Entra ID wants to be told in every answer.

    Raises:
        InvalidSyntax: (400 `invalidSyntax`) it is no object, or its `schemas` do not name the type.
        InvalidValue: (400 `invalidValue`) a value is missing or wrong; the detail names its path.
    """
    found = _read_whole(body, schema)
    if schema.find("active") is not None:
        found.setdefault("active", True)
    check_whole(found, schema)
    return found


def read_replacement(body: object, schema: ResourceSchema, current: Mapping[str, Any]) -> Resource:
    """Read the body of a PUT: what it does not name is gone, but for read-only attributes and `active`.

    Okta's wizard apps send the whole user without `active`, which must suspend nobody.

    Args:
        body: the new state.
        schema: of the resource.
        current: as it is kept.

    Raises:
        InvalidSyntax, InvalidValue: as `read_new`.
        Mutability: (400 `mutability`) the body has another `id`.
    """
    found = _read_whole(body, schema)
    check_same_id(member(body, "id"), current)
    for attribute in schema.attributes.values():
        if attribute.mutability == "readOnly" and attribute.name in current:
            found[attribute.name] = deepcopy(current[attribute.name])
    if schema.find("active") is not None:
        found.setdefault("active", is_active(current))
    check_whole(found, schema)
    return found


def is_active(resource: Mapping[str, Any]) -> bool:
    """Say whether a person may come in; whoever nobody switched off may."""
    return resource.get("active") is not False


def check_same_id(sent: object, current: Mapping[str, Any]) -> None:
    """Refuse to give a resource another id; clients repeat the one it has (Okta's group push does).

    Raises:
        Mutability: (400 `mutability`).
    """
    if sent is not None and "id" in current and sent != current["id"]:
        raise Mutability("id cannot be changed")


def check_whole(resource: Mapping[str, Any], schema: ResourceSchema) -> None:
    """Check what holds for a resource as a whole: required attributes, one primary value each, its size.

    Raises:
        InvalidValue: (400 `invalidValue`).
    """
    for target in schema.targets():
        holder = resource.get(target.urn, {}) if target.urn else resource
        value = holder.get(target.attribute.name)
        if target.attribute.required and value in (None, "") and target.path != "active":  # it has one all the same
            raise InvalidValue(f"{target.path} is required")
        if isinstance(value, list):
            most = MOST_MEMBERS if target.path == "members" else MOST_VALUES
            if len(value) > most:
                raise InvalidValue(f"{target.path} has more than {most} values")
            if sum(isinstance(element, dict) and element.get("primary") is True for element in value) > 1:
                raise InvalidValue(f"{target.path} has more than one primary value")
    document = {name: value for name, value in resource.items() if name not in {"members", "groups", *_SERVED}}
    if len(json.dumps(document, ensure_ascii=False).encode()) > MOST_DOCUMENT_BYTES:
        raise InvalidValue(f"the resource has more than {MOST_DOCUMENT_BYTES} bytes")


def read_attributes(body: Mapping[str, object], schema: ResourceSchema) -> Resource:
    """Read the members of an object that stand for attributes; drops unknown and read-only ones.

    Raises:
        InvalidSyntax: (400 `invalidSyntax`) an extension is no object, or an attribute is there twice.
        InvalidValue: (400 `invalidValue`) a value is of another type.
    """
    found: Resource = {}
    for name, value in body.items():
        urn = schema.urn_of(name)
        if urn is not None:
            if value is None:
                continue
            if not isinstance(value, Mapping):
                raise InvalidSyntax(f"{urn} is an object")
            read = _read_table(value, schema, urn)
            if urn == schema.urn:
                found.update(read)
            elif read:
                found[urn] = read
    return {**found, **_read_table(body, schema, schema.urn)}


def _read_whole(body: object, schema: ResourceSchema) -> Resource:
    if not isinstance(body, Mapping):
        raise InvalidSyntax("the body is a JSON object")
    check_schemas(body, schema.urn)
    return read_attributes(body, schema)


def check_schemas(body: Mapping[str, object], urn: str) -> None:
    """Check that a message says what it is.

    Raises:
        InvalidSyntax: (400 `invalidSyntax`) its `schemas` do not name this URN.
    """
    named = member(body, "schemas")
    named = [named] if isinstance(named, str) else named
    if not isinstance(named, list) or not any(isinstance(name, str) and name.lower() == urn.lower() for name in named):
        raise InvalidSyntax(f"schemas must name {urn}")


def member(body: object, name: str) -> object:
    """Find a member in any case."""
    if not isinstance(body, Mapping):
        return None
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def _read_table(body: Mapping[str, object], schema: ResourceSchema, urn: str) -> Resource:
    found: Resource = {}
    for name, value in body.items():
        target = schema.find(name, None, urn)
        if target is None or target.attribute.mutability == "readOnly":
            continue
        if target.attribute.name in found:
            raise InvalidSyntax(f"{target.path} is there twice")
        read = read_value(value, target)
        if read is not None:
            found[target.attribute.name] = read
    return found


def read_value(value: object, target: Target) -> Any:
    """Read the value of an attribute, all elements of a multi-valued one.

    Returns:
        what is kept; None when it is no value.

    Raises:
        InvalidValue: (400 `invalidValue`) it is not of the attribute's type; the detail names the path.
    """
    if value is None:
        return None
    attribute = target.leaf
    if not attribute.multi_valued or target.sub is not None:
        return read_single(_unwrapped(value, attribute), target)
    elements = value if isinstance(value, list) else [value]
    if len(elements) > MOST_MEMBERS:
        raise InvalidValue(f"{target.path} has more than {MOST_MEMBERS} values")
    found = [read_single(element, target) for element in elements]
    if target.path == "members" and not all(read and read.get("value") for read in found):
        raise InvalidValue(
            "members.value is the id of a member"
        )  # none is passed over: a group is not emptied by mistake
    return [read for read in found if read is not None] or None


def read_single(value: object, target: Target) -> Any:
    """Read one value: of a single-valued attribute, or one element.

    Returns:
        what is kept; None when it is no value.

    Raises:
        InvalidValue: (400 `invalidValue`).
    """
    attribute = target.leaf
    if value is None:
        return None
    if attribute.type == "complex":
        return _read_complex(value, target)
    if attribute.type == "boolean":
        read = read_boolean(value)
        if read is not None:
            return read
    elif isinstance(value, str):
        return _read_text(value, attribute, target.path)
    raise InvalidValue(f"{target.path} is a {attribute.type}")


def _read_complex(value: object, target: Target) -> Any:
    attribute = target.attribute
    if isinstance(value, str):
        if attribute.sub("value") is None:
            raise InvalidValue(f"{target.path} is an object")
        value = {"value": value} if value else {}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"{target.path} is an object")
    if target.path == "roles":
        value = _role(value)
    found: Resource = {}
    for name, part in value.items():
        sub = attribute.sub(name)
        if sub is None or (sub.mutability == "readOnly" and attribute.mutability != "readOnly"):
            continue
        if sub.name in found:
            raise InvalidSyntax(f"{target.path}.{sub.name} is there twice")
        read = read_single(_unwrapped(part, sub), sub_target(target, sub))
        if read is not None:
            found[sub.name] = read
    return found or None


def _role(sent: Mapping[str, object]) -> Mapping[str, object]:
    """Read a role whose `value` is JSON in a text, as Entra ID's PATCH has it.

    Source: https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes#provisioning-a-role-to-a-scim-app
    """
    text = sent.get("value")
    if not isinstance(text, str) or not text.startswith("{") or len(text) > MOST_TEXT:
        return sent
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return sent
    if not isinstance(inner, dict) or not isinstance(inner.get("value"), str):
        return sent
    return {"display": inner.get("displayName"), **sent, "value": inner["value"]}


def _unwrapped(value: object, attribute: Attribute) -> object:
    """Take one value out of the list of one, or the object with `value`, that some clients wrap it in."""
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if attribute.type != "complex" and isinstance(value, Mapping) and set(value) == {"value"}:
        return value["value"]
    return value


def _read_text(value: str, attribute: Attribute, path: str) -> str:
    most = MOST_TEXT_OF.get(path, MOST_TEXT)
    if len(value) > most:
        raise InvalidValue(f"{path} has more than {most} characters")
    if not is_storable(value):
        raise InvalidValue(f"{path} holds NUL or half of a surrogate pair")
    if attribute.type == "dateTime" and read_moment(value) is None:
        raise InvalidValue(f"{path} is a time with its offset, e.g. 2011-05-13T04:42:34Z")
    if attribute.type == "binary" and not _is_base64(value):
        raise InvalidValue(f"{path} is base64")
    return value


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
