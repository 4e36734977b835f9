"""The bill of materials of a bundle. The same content gives the same document: no time, no random serial number.

Source: CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence

from .distributions import Needed


def sbom_text(name: str, version: str, needed: Sequence[Needed]) -> str:
    """Return the document as JSON text.

    Args:
        name: the bundle's component name.
        version: the project's version.
        needed: the distributions it needs.
    """
    own = f"{name}@{version}"
    refs = {item.pin.name: _purl(item) for item in needed}
    document: dict[str, object] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": own, "name": name, "version": version}},
        "components": [_component(item) for item in needed],
        "dependencies": [
            {"ref": own, "dependsOn": sorted(_purl(item) for item in needed)},
            *(
                {"ref": _purl(item), "dependsOn": sorted({refs[other] for other in item.needs if other in refs})}
                for item in needed
            ),
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))
    return json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=2, sort_keys=True) + "\n"


def _component(item: Needed) -> dict[str, object]:
    found: dict[str, object] = {
        "type": "library",
        "bom-ref": _purl(item),
        "name": item.pin.name,
        "version": item.pin.version,
        "purl": _purl(item),
    }
    if item.licence:
        found["licenses"] = [{"expression": item.licence}]
    if item.pin.marker:
        found["properties"] = [{"name": "driftwise:marker", "value": str(item.pin.marker)}]
    return found


def _purl(item: Needed) -> str:
    return f"pkg:pypi/{item.pin.name}@{item.pin.version}"
