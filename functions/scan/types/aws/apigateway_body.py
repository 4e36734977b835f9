"""What an API that is declared as one OpenAPI document holds: its paths, their methods and their integrations.

Each is keyed by its path, since only AWS knows the id of a resource that a document made; a reader gives every live one that
key too. What the document does not say is not declared: one more path or method in the API is found.
Source: OpenAPI Specification 2.0 and 3.0, "Paths Object"; API Gateway Developer Guide, "x-amazon-apigateway-integration object".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ...domain.resources import Attributes, Declared

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_MOST_CHARACTERS = 4_000_000  # of a document; AWS takes 6 MB, and what is larger is not looked into
_MOST_YAML_CHARACTERS = 500_000  # which takes about a second


def document_of(body: object) -> Mapping[str, object]:
    """Parse a document, JSON or YAML; empty when it is none."""
    if not isinstance(body, str) or not body or len(body) > _MOST_CHARACTERS:
        return {}
    try:
        found = json.loads(body)
    except RecursionError:  # nested deeper than any API
        return {}
    except ValueError:
        found = _read_yaml(body)
    return found if isinstance(found, Mapping) else {}


def _read_yaml(body: str) -> object:
    """Parse YAML; nothing for what is too long, or names one part of it in another: a few lines can stand for gigabytes then."""
    import yaml  # documents in YAML are few, and the module is not cheap to load

    if len(body) > _MOST_YAML_CHARACTERS:
        return None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(body, Loader=loader)):
            return None
        found: object = yaml.load(body, Loader=loader)  # noqa: S506  # a safe one
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date that is none
        return None
    return found


def methods_of(body: object) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    """Yield path, method (upper case) and operation of everything a document declares."""
    paths = document_of(body).get("paths")
    for path, item in paths.items() if isinstance(paths, Mapping) else ():
        for name, operation in item.items() if isinstance(item, Mapping) else ():
            word = str(name).lower()
            if word in METHODS or word == ANY:
                yield (
                    str(path),
                    "ANY" if word == ANY else word.upper(),
                    operation if isinstance(operation, Mapping) else {},
                )


def declared_in_body(entry: Declared) -> Iterable[Declared]:
    """Yield an API and, when it has a document, everything the document declares in it."""
    yield entry
    body, api = entry.attributes.get("body"), entry.attributes.get("id")
    if not body or not api:
        return
    seen: set[str] = set()
    paths = document_of(body).get("paths")
    for path in paths if isinstance(paths, Mapping) else ():
        for place in _ancestors(str(path)):
            if place not in seen:
                seen.add(place)
                yield _part(entry, "aws_api_gateway_resource", f"{api}|{place}", {})
    for path, method, operation in methods_of(body):
        key = f"{api}|{path}|{method}"
        yield _part(entry, "aws_api_gateway_method", key, {})
        for code in _codes(operation.get("responses")):
            yield _part(entry, "aws_api_gateway_method_response", f"{key}|{code}", {})
        integration = operation.get(_INTEGRATION)
        if isinstance(integration, Mapping):
            yield _part(entry, "aws_api_gateway_integration", key, _integration(integration))
            answers = integration.get("responses")
            for answer in answers.values() if isinstance(answers, Mapping) else ():
                status = answer.get("statusCode") if isinstance(answer, Mapping) else None
                yield _part(entry, "aws_api_gateway_integration_response", f"{key}|{status}", {})


def _ancestors(path: str) -> Iterator[str]:
    """Yield a path and all above it but the root, which every API has."""
    parts = [part for part in path.split("/") if part]
    yield from ("/" + "/".join(parts[: length + 1]) for length in range(len(parts)))


def _codes(responses: object) -> Iterator[str]:
    yield from (str(code) for code in responses if str(code).isdigit()) if isinstance(responses, Mapping) else ()


def _integration(found: Mapping[str, object]) -> Attributes:
    """Return what a document says about an integration and AWS keeps as it is written."""
    attributes: dict[str, object] = {"type": str(found.get("type") or "").upper()}
    for name, member in (("uri", "uri"), ("integration_http_method", "httpMethod")):
        if found.get(member):
            attributes[name] = found[member]
    return attributes


def _part(entry: Declared, kind: str, key: str, attributes: Attributes) -> Declared:
    return replace(entry, type=kind, key=key, attributes=attributes, sensitive=frozenset(), parent=None)
