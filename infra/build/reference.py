"""Writes `infra/docs/api.md` from `infra/openapi.json`: `python -m infra.build.reference [--check]`.

People read a table sooner than a schema. What the document says is said once: this only lays it out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from .generated import ROOT, write_or_check
from .openapi import FILE as OPENAPI

FILE = ROOT / "infra" / "docs" / "api.md"
Node: TypeAlias = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete", "head")
_HEAD = """# Calls

Made from the route tables by `python -m infra.build.reference`; a test fails when it is stale. The same for machines:
[`openapi.json`](../openapi.json). Who may do what, as one table: [`permissions.md`](../permissions.md).

- Every body is JSON (UTF-8) unless a call says otherwise; unknown members are refused. Times are RFC 3339 in UTC.
- A call is made with `x-api-key: <key>` or `Authorization: Bearer <access token or key>`; browsers have a cookie and send the
  CSRF token with changes.
- An error is a problem document (RFC 9457) with a stable `code`, `request_id`, and what the code needs beside it. Codes that every call
  may answer (400 `malformed_request`, 401 `unauthenticated`, 404 `not_found`, 413, 415, 422 `invalid`, 429 `rate_limited`, 500, 503) are left
  out below.
- Lists come in pages: `limit` and `cursor` in the query, `next_cursor` in the answer until there are no more.
- A change with `Idempotency-Key` gives the first answer again when it is repeated within 24 hours.
"""
# Codes that every call may answer, as the head of the page says.
_USUAL = frozenset(
    [
        "malformed_request",
        "unauthenticated",
        "not_found",
        "body_too_large",
        "media_type_unsupported",
        "invalid",
        "rate_limited",
        "internal_error",
        "database_away",
        "database_busy",
        "query_timeout",
        "service_away",
        "write_conflict",
    ]
)


def reference_text(document: Node) -> str:
    """Lay out an OpenAPI 3.1 document as Markdown."""
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    parts = [_HEAD]
    for tag, description in tags.items():
        parts.append(f"\n## {tag}\n\n{description}\n")
        parts += [_call(document, call, method, path) for path, method, call in _calls(document, tag)]
    parts.append("\n## Models\n")
    parts += [_model(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    return "\n".join(parts)


def _calls(document: Node, tag: str) -> Iterator[tuple[str, str, Node]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if tag in methods.get(method, {}).get("tags", ()):
                yield path, method, methods[method]


def _call(document: Node, call: Node, method: str, path: str) -> str:
    lines = [f"### `{method.upper()} {path}`", "", call.get("summary", ""), ""]
    if call.get("description"):
        lines += [_line(call["description"]), ""]
    lines += [f"- takes {_content(call['requestBody'])}"] if "requestBody" in call else []
    query = [_parameter(item) for item in call.get("parameters", ()) if item["in"] == "query"]
    lines += [f"- query: {', '.join(query)}"] if query else []
    lines += [f"- answers {answer}" for answer in _answers(call)]
    codes = sorted(_codes(document, call))
    lines += [f"- may refuse with {', '.join(codes)}"] if codes else []
    return "\n".join((*lines, ""))


def _parameter(item: Node) -> str:
    return f"`{item['name']}`" + (" (required)" if item.get("required") else "")


def _answers(call: Node) -> Iterator[str]:
    for status, reply in call["responses"].items():
        if "$ref" not in reply and status[0] in "23":
            content = _content(reply)
            yield f"{status}" + (f" {content}" if content else "")


def _codes(document: Node, call: Node) -> Iterator[str]:
    """Yield the codes of a call's own refusals with their status."""
    for status, reply in call["responses"].items():
        name = reply.get("$ref", "").rpartition("/")[2]
        for code in re.findall(
            r"`([a-z0-9_]+)`", document["components"]["responses"].get(name, {}).get("description", "")
        ):
            if code not in _USUAL:
                yield f"{status} `{code}`"


def _content(holder: Node) -> str:
    found = [
        f"{_type(media.get('schema', {}))}" + (f" (`{kind}`)" if kind != "application/json" else "")
        for kind, media in holder.get("content", {}).items()
    ]
    return ", ".join(dict.fromkeys(found))


def _model(name: str, schema: Node) -> str:
    lines = [f"### {name}", "", _line(schema.get("description", "")), ""]
    if schema.get("properties"):
        required = set(schema.get("required", ()))
        lines += ["| member | type | |", "|---|---|---|"]
        lines += [
            f"| `{member}`{'' if member in required else '?'} | {_type(node)} | {_cell(node)} |"
            for member, node in schema["properties"].items()
        ]
    else:
        lines.append(_type(schema))
    return "\n".join((*lines, ""))


def _type(node: Node) -> str:
    """Say a schema's type in a few words; models are links."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for word in ("anyOf", "oneOf", "allOf"):
        if word in node:
            return " or ".join(dict.fromkeys(_type(part) for part in node[word]))
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return " \\| ".join(f"`{value}`" for value in node["enum"])
    kind = node.get("type", "any")
    if kind == "array":
        return f"list of {_type(node.get('items', {}))}"
    if kind == "object" and isinstance(node.get("additionalProperties"), Mapping):
        return f"map of {_type(node['additionalProperties'])}"
    form = node.get("format")
    return f"{kind} ({form})" if form else str(kind)


def _cell(node: Node) -> str:
    """Say what else a member must be: its description, its bounds, its default."""
    bounds = {
        "minLength": "at least {} characters", "maxLength": "at most {} characters", "minimum": "at least {}",
        "maximum": "at most {}", "minItems": "at least {} items", "maxItems": "at most {} items", "pattern": "matches `{}`",
    }  # fmt: skip
    said = [node["description"]] if node.get("description") else []
    said += [words.format(node[name]) for name, words in bounds.items() if name in node]
    said += [f"default `{json.dumps(node['default'])}`"] if node.get("default") is not None else []
    return _line("; ".join(said)).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    return write_or_check(
        FILE, reference_text(json.loads(OPENAPI.read_text(encoding="utf-8"))), "infra.build.reference", arguments
    )


if __name__ == "__main__":
    sys.exit(main())
