"""What a state source must say, by its kind: pure rules for people's wishes. Fetches and stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_PLACE_FIELDS: Final = (
    "bucket", "object_key", "object_prefix", "object_suffix", "bucket_region", "storage_account", "url", "organization",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KindRule:
    """What a kind of source needs.

    Attributes:
        needs: fields that must be there.
        allows: fields that may be there.
        has_prefix: exactly one of `object_key` and `object_prefix` must be there.
        auth: ways to sign in, the default first; None when there is no default.
    """

    needs: tuple[str, ...]
    allows: tuple[str, ...]
    has_prefix: bool
    auth: tuple[str | None, ...]


_MANY: Final = ("object_key", "object_prefix", "object_suffix")
KINDS: Final[Mapping[str, KindRule]] = {
    "upload": KindRule((), (), has_prefix=False, auth=("none",)),
    "s3": KindRule(
        ("bucket",), ("bucket_region", *_MANY), has_prefix=True,
        auth=("account", "role", "account_role", "static_key"),
    ),
    "gcs": KindRule(("bucket",), _MANY, has_prefix=True, auth=(None, "workload_identity", "service_account_key")),
    "azure_blob": KindRule(
        ("bucket", "storage_account"), _MANY, has_prefix=True, auth=(None, "federated", "client_secret", "sas")
    ),
    "http": KindRule(("url",), (), has_prefix=False, auth=("none", "basic", "bearer")),
    "tfc": KindRule(("organization",), ("url", "object_key", "object_prefix"), has_prefix=True, auth=(None, "bearer")),
}  # fmt: skip


def check_place(kind: str, given: Mapping[str, object]) -> Iterator[dict[str, str]]:
    """Yield what is wrong with where a source lies, one entry per field."""
    rule = KINDS[kind]
    for field in _PLACE_FIELDS:
        is_given = given.get(field) is not None
        if field in rule.needs and not is_given:
            yield {"field": field, "problem": f"needed for kind {kind}"}
        elif is_given and field not in (*rule.needs, *rule.allows):
            yield {"field": field, "problem": f"kind {kind} has none"}
    if rule.has_prefix and (given.get("object_key") is None) == (given.get("object_prefix") is None):
        yield {"field": "object_key", "problem": f"kind {kind} needs either object_key or object_prefix"}
    if given.get("object_suffix") is not None and given.get("object_prefix") is None:
        yield {"field": "object_suffix", "problem": "goes with object_prefix"}


def choose_auth(kind: str, given: str | None) -> tuple[str, dict[str, str] | None]:
    """Return the way to sign in, and what is wrong with it if anything."""
    ways = [way for way in KINDS[kind].auth if way]
    chosen = given or KINDS[kind].auth[0]
    if chosen in ways:
        return str(chosen), None
    return "", {"field": "auth", "problem": f"kind {kind} is signed in to by one of: {', '.join(ways)}"}


TRUSTING: Final = frozenset({"role", "account_role", "workload_identity", "federated"})
"""Ways to sign in that rest on trust: there an external id, chosen for the one source, keeps others from borrowing it."""
