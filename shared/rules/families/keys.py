"""Keys that are destroyed or switched off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..plan import Change, Plan
from ..rule import Match, Rule, whole
from ..switches import lowering, off, rule_of, switch, word

_switch = partial(switch, flag="key-destruction", family="keys")


def _destroyed(change: Change, _plan: Plan) -> Iterator[Match]:
    if change.destroys:
        yield Match((whole(change),))


RULES: tuple[Rule, ...] = (
    rule_of("key-destroyed", "keys", "key-destruction", "critical", "An encryption key is destroyed", (
        "aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_cloudhsm_v2_cluster", "google_kms_crypto_key", "google_kms_crypto_key_version", "google_kms_key_ring",
        "azurerm_key_vault_key", "azurerm_key_vault_managed_hardware_security_module", "azurerm_disk_encryption_set"), _destroyed),
    _switch("aws-key-disabled", severity="high", title="An encryption key is disabled", types=("aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key"), path="is_enabled", bad=off, refs=("CKV_AWS_227",)),
    lowering("aws-key-window", "key-destruction", "medium", "A deleted key can be saved for a shorter time", ("aws_kms_key",), "deletion_window_in_days", family="keys"),
    _switch("google-key-version", severity="critical", title="A key version is destroyed or disabled", types=("google_kms_crypto_key_version",), path="state", bad=word("DESTROYED", "DESTROY_SCHEDULED", "DISABLED")),
)  # fmt: skip
