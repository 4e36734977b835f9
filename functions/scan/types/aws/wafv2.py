"""WAF: web ACLs, rule groups, IP and pattern sets, and where an ACL logs.

Source: Terraform AWS provider 5.100, resource documentation of each type; AWS WAFV2 API Reference, data type `Rule`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...domain.shapes import Canonical, block, boolean, members, number, set_of, sorted_canonical, tags, text
from ...domain.specs import TypeSpec, by

# Members that Terraform spells in another way than by its own rule (words in lower case, joined by an underscore).
_SPELLED = {
    "cloud_watch_metrics_enabled": "cloudwatch_metrics_enabled",
    "rules": "rule",
    "statements": "statement",
    "rule_labels": "rule_label",
    "text_transformations": "text_transformation",
    "rule_action_overrides": "rule_action_override",
    "custom_keys": "custom_key",
    "insert_headers": "insert_header",
    "response_headers": "response_header",
}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def spelled(name: str) -> str:
    """Spell a member of the API as Terraform does."""
    word = _WORDS.sub("_", name).lower()
    return _SPELLED.get(word, word)


def rule_body(value: object) -> Canonical:
    """The body of a rule in one form, from a state (every object is a list of at most one) or from the API.

    Absent, null, empty text and empty list mean the same; an object without members says that it is there (`block {}`). The
    order of a list carries no meaning in WAF: what is ordered has a number.
    """
    if isinstance(value, Mapping):
        found = {spelled(str(name)): rule_body(item) for name, item in value.items() if item not in (None, "", [])}
        return {name: item for name, item in sorted(found.items()) if not _is_empty(name, item)}
    if isinstance(value, list | tuple):
        items = [rule_body(item) for item in value]
        if len(items) == 1 and isinstance(items[0], dict):
            return items[0]
        return sorted_canonical(items) or None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, bool) else number(value) if isinstance(value, int | float) else text(value)


def _is_empty(name: str, value: Canonical) -> bool:
    """Say whether a member says nothing: a configuration without settings is none, an action without settings is one."""
    return value is None or (value == {} and name.endswith("_config"))


def rules(value: object) -> Canonical:
    """The rules of an ACL or a group by name; AWS keeps names unique."""
    items = value if isinstance(value, list) else []
    return {str(item.get("name")): rule_body(item) for item in items if isinstance(item, Mapping)} or None


_VISIBLE = block({"cloudwatch_metrics_enabled": boolean, "metric_name": text, "sampled_requests_enabled": boolean})

SPECS = (
    TypeSpec(
        "aws_wafv2_web_acl",
        {
            "name": text,
            "description": text,
            "default_action": rule_body,
            "rule": rules,
            "token_domains": set_of(text),
            "visibility_config": _VISIBLE,
            "tags": tags,
        },
        key=by("arn"),
    ),
    TypeSpec(
        "aws_wafv2_rule_group",
        {"name": text, "description": text, "capacity": number, "rule": rules, "visibility_config": _VISIBLE, "tags": tags},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_wafv2_ip_set",
        {"name": text, "description": text, "ip_address_version": text, "addresses": set_of(text), "tags": tags},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_wafv2_regex_pattern_set",
        {"name": text, "description": text, "regular_expression": set_of(members({"regex_string": text})), "tags": tags},
        key=by("arn"),
    ),
    TypeSpec(
        "aws_wafv2_web_acl_logging_configuration",
        {"log_destination_configs": set_of(text)},
        key=by("resource_arn"),
    ),
)  # fmt: skip
