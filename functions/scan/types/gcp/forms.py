"""Canonical forms that Google's values need beside the common ones.

Source: Terraform Google provider 6.50, resource documentation; Google's API design guide (AIP-122 resource names, AIP-142 time).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from ...domain.shapes import Canonical, Shape, default_is, folded_text, members, string_map, text, whole_document

_SELF_LINK = re.compile(r"https?://(?:www|compute)\.googleapis\.com/compute/(?:v1|beta|alpha)/(?=projects/)")
_FULL_NAME = re.compile(r"//[a-z0-9.-]+\.googleapis\.com/(?=projects/)")
_KEY_VERSION = re.compile(r"/cryptoKeyVersions/\d+$")
_DURATION = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?s")
_MADE_LABELS = ("goog-",)
_PRIMITIVE = {
    "roles/bigquery.dataOwner": "OWNER",
    "roles/bigquery.dataEditor": "WRITER",
    "roles/bigquery.dataViewer": "READER",
}
_INVENTORY_TYPE = "TYPE_"
_COLUMN_TYPES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}


def written(value: object) -> Canonical:
    """Text; a link to a resource comes whole (`https://www.googleapis.com/compute/v1/projects/...`) or from `projects/` on."""
    if isinstance(value, bool):
        return str(value).lower()
    found = text(value)
    if not isinstance(found, str):
        return found
    return _FULL_NAME.sub("", _SELF_LINK.sub("", found))


def tail(value: object) -> Canonical:
    """The last part of a link, where what is before it is the resource's own project and place (machine and disk types)."""
    found = text(value)
    return found.rstrip("/").rpartition("/")[2] if isinstance(found, str) else found


def kms_key(value: object) -> Canonical:
    """A key of Cloud KMS; services answer with the version that they encrypted with, which rotation moves."""
    found = written(value)
    return _KEY_VERSION.sub("", found) if isinstance(found, str) else found


def duration(value: object) -> Canonical:
    """A duration in seconds (`3.5s`); trailing zeros carry no meaning.

    Source: https://protobuf.dev/reference/protobuf/google.protobuf/#duration (JSON form).
    """
    found = text(value)
    if not isinstance(found, str) or not _DURATION.fullmatch(found):
        return found
    try:
        seconds = Decimal(found[:-1])
    except InvalidOperation:
        return found
    return f"{seconds.normalize():f}s"


def labels(value: object) -> Canonical:
    """Labels; those under `goog-` are set by the provider and by Google's own services, never by a configuration."""
    if not isinstance(value, Mapping):
        return None
    return string_map({name: item for name, item in value.items() if not str(name).startswith(_MADE_LABELS)})


def port_range(value: object) -> Canonical:
    """Ports `443-443` are port `443`."""
    found = text(value)
    first, dash, last = found.partition("-") if isinstance(found, str) else ("", "", "")
    return first if dash and first == last else found


def after_colon(value: object) -> Canonical:
    """A name that an API may give with its project in front (`project:instance`)."""
    found = text(value)
    return found.rpartition(":")[2] if isinstance(found, str) else found


def certificate(value: object) -> Canonical:
    """A PEM text; white space around it and the kind of line ends carry no meaning (RFC 7468 section 2)."""
    found = text(value)
    return "\n".join(line.strip() for line in found.strip().splitlines()) if isinstance(found, str) else found


def dataset_role(value: object) -> Canonical:
    """A role on a dataset; three of them have two names.

    Source: https://cloud.google.com/bigquery/docs/access-control-basic-roles
    """
    found = text(value)
    return _PRIMITIVE.get(found, found) if isinstance(found, str) else found


def table_schema(value: object) -> Canonical:
    """A table's columns; `mode` is NULLABLE when left out, and some types have two names.

    The inventory puts `TYPE_` before the name of a type (`TYPE_INT64`), which the API does not.

    Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema
    """
    found = whole_document(value)
    return [_column(item) for item in found] if isinstance(found, list) and found else None


def kept(shapes: Mapping[str, Shape]) -> Shape:
    """One nested block whose mere presence says something, even when nothing is in it."""
    one = members(shapes)

    def canonical(value: object) -> Canonical:
        items = value if isinstance(value, list | tuple) else [value]
        if not items or items[0] is None:
            return None
        found = one(items[0])
        return {**(found if isinstance(found, dict) else {}), "present": True}

    return canonical


def word(default: str) -> Shape:
    """A word that stands for the default when left out; the inventory may write it in capitals (`PUBLIC`) where the API does not."""
    return default_is(default, folded_text)


def unless(default: str) -> Shape:
    """Text, or link, that stands for the default when left out."""
    return default_is(default, written)


def _column(value: Canonical) -> Canonical:
    if not isinstance(value, dict):
        return value
    found: dict[str, Canonical] = {name: item for name, item in value.items() if item not in (None, "", [], {})}
    kind = str(found.get("type", "")).upper().removeprefix(_INVENTORY_TYPE)
    found["type"] = _COLUMN_TYPES.get(kind, kind)
    found["mode"] = str(found.get("mode", "NULLABLE")).upper()
    if isinstance(found.get("fields"), list):
        found["fields"] = table_schema(value["fields"])
    return found
