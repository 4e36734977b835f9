"""Bodies that a route's model takes, with a text of the test's own in every place that takes any text.

Made from the model's JSON Schema, so that a new model joins by itself; a pattern that no candidate fits fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import BaseModel

# What fits the patterns of our models; the first that does is taken.
_CANDIDATES = (
    "123456789012", "us-east-1", "arn:aws:iam::123456789012:role/driftwise", "AKIA" + "Q" * 16, "states-of-ours",
    "https://example.com/", "203.0.113.0/24", "a", "a1", "A1", "pusher@example-project.iam.gserviceaccount.com", "price_1Qx",
)  # fmt: skip
_FORMATS = {"uri": "https://example.com/", "email": "ada@example.test", "date": "2030-01-01"}

Schema = Mapping[str, Any]


@dataclass
class Filler:
    """Fills models in.

    Attributes:
        text: goes wherever any text may stand, cut to what the place takes.
        secret: goes where the model itself says that a secret stands.
        values: members by name that are filled in with something else.
    """

    text: str
    secret: str
    values: Mapping[str, Any] = field(default_factory=dict)
    _defs: Mapping[str, Schema] = field(default_factory=dict)

    def fill(self, model: type[BaseModel]) -> Any:
        """Return a body for a model."""
        schema = model.model_json_schema()
        self._defs = schema.get("$defs", {})
        return self._sample(schema)

    def _sample(self, schema: Schema) -> Any:
        if "$ref" in schema:
            return self._sample(self._defs[schema["$ref"].rsplit("/", 1)[1]])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                options = [option for option in schema[word] if option.get("type") != "null"]
                return self._sample(max(options, key=self._holds_secret))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return [self._sample(schema.get("items", {}))]
            case "string":
                return self._string(schema)
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
            case _:
                return self.text

    def _object(self, schema: Schema) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        found: dict[str, Any] = {}
        for name, inner in schema.get("properties", {}).items():
            if name in self.values:
                found[name] = self.values[name]
            elif name in required or self._takes_any_text(inner):
                found[name] = self._sample(inner)
        return found

    def _string(self, schema: Schema) -> str:
        if schema.get("writeOnly") or schema.get("format") == "password":
            return self.secret[: schema.get("maxLength")]
        kind = schema.get("format")
        if kind == "uuid":
            return str(uuid4())
        if kind == "date-time":
            return (datetime.now(UTC) + timedelta(days=1)).isoformat()
        if kind in _FORMATS:
            return _FORMATS[kind]
        pattern = schema.get("pattern")
        if pattern is None:
            return self.text[: schema.get("maxLength")]
        fitting = [item for item in (self.text, *_CANDIDATES) if re.search(pattern, item)]
        assert fitting, f"say in _CANDIDATES what fits {pattern}"
        return fitting[0][: schema.get("maxLength")]

    def _takes_any_text(self, schema: Schema) -> bool:
        options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
        return any(
            option.get("type") == "string" and not {"format", "pattern", "enum", "const"} & set(option)
            for option in options
        )

    def _holds_secret(self, schema: Schema) -> bool:
        if "$ref" in schema:
            schema = self._defs[schema["$ref"].rsplit("/", 1)[1]]
        return bool(schema.get("writeOnly")) or any(map(self._holds_secret, schema.get("properties", {}).values()))
