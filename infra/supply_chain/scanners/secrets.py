"""Secrets in files, by detect-secrets; nothing is sent anywhere to see whether one works.

What has the form of somebody's secret is looked for everywhere. Guesses (a word such as `password` beside a text, a text as random as a key) are
not made about tests, which are full of dummies, nor about files of hashes. Marks of exceptions inside files are not heeded.
Source: https://github.com/Yelp/detect-secrets/blob/master/docs/plugins.md
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from detect_secrets.core import scan as detecting
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.settings import transient_settings

from ..results import Finding
from ..tree import files, place

_FORMS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector",
    "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector",
    "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
_GUESSES: tuple[dict[str, object], ...] = (
    {"name": "KeywordDetector"},
    {"name": "Base64HighEntropyString", "limit": 4.5},
    {"name": "HexHighEntropyString", "limit": 3.0},
)
_FILTERS = (
    "is_indirect_reference", "is_likely_id_string", "is_not_alphanumeric_string", "is_potential_uuid", "is_prefixed_with_dollar_sign",
    "is_sequential_string", "is_templated_secret",
)  # fmt: skip
# Not guessed about: tests, what holds hashes of packages and commits, and what is made from the vendors' schemas.
_NOT_GUESSED = re.compile(
    r"(?:^|/)tests/|(?:^|/)requirements[^/]*\.txt$|^infra/supply_chain/requirements/|package-lock\.json$|\.gz$|^infra/openapi\.json$"
)
_NO_TEXT = (".gz", ".png", ".zip", ".ico", ".woff2", ".der")


def scan(root: Path) -> list[Finding]:
    """Return what looks like a secret; the texts never hold it."""
    found = [(path, place(root, path)) for path in files(root) if path.suffix not in _NO_TEXT]
    guessed = [(path, name) for path, name in found if not _NOT_GUESSED.search(name)]
    plugins: list[dict[str, object]] = [{"name": name} for name in _FORMS]
    return [*_scan([item for item in found if _has_a_form(item[0])], plugins), *_scan(guessed, _GUESSES)]


def _scan(paths: Sequence[tuple[Path, str]], plugins: Sequence[dict[str, object]]) -> Iterator[Finding]:
    filters = [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in _FILTERS]
    with transient_settings({"plugins_used": list(plugins), "filters_used": filters}):
        for path, name in paths:
            for secret in detecting.scan_file(str(path)):
                if not _is_nothing(secret):
                    yield Finding(name, secret.type, "looks like a secret", secret.line_number)


def _has_a_form(path: Path) -> bool:
    """Whether the plugins' own patterns are anywhere in a file: twenty times faster than line by line, which comes after."""
    text = path.read_text("utf-8", "replace")
    return any(pattern.search(text) for pattern in _patterns())


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    plugins: Iterable[Any] = get_mapping_from_secret_type_to_class().values()  # typed as having no attributes
    return tuple(
        re.compile(pattern.pattern, pattern.flags | re.MULTILINE)
        for plugin in plugins
        if plugin.__name__ in _FORMS
        for pattern in plugin.denylist
    )


def _is_nothing(secret: PotentialSecret) -> bool:
    """Whether it is a key from AWS's documentation, or a guess about a text without a digit: a name, not a key."""
    value = secret.secret_value or ""
    return value.endswith("EXAMPLE") or (secret.type == "Secret Keyword" and not re.search("[0-9]", value))
