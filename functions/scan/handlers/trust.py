"""The call that shows what a customer sets up so that DriftWise may read an account."""

from __future__ import annotations

from collections.abc import Mapping

from shared.http.call import Call
from shared.http.reply import Reply

from ..account_models import TrustView
from ..domain.trust import Rights, set_up
from ..queries import accounts as queries
from ..readers.aws import FURTHER_PERMISSIONS, SERVICES
from ..readers.aws.trail import PERMISSION as AWS_ATTRIBUTION
from ..readers.azure import actions as azure_actions
from ..readers.gcp import rights as google_rights
from ..wiring import ScanDeps


def show_trust(call: Call, deps: ScanDeps) -> Reply:
    """Show the trust and the rights that an account needs, ready to paste."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_account(tx, account_id)
    rights, trusted = _rights()[row["provider"]], deps.settings.customer_trust_id
    texts = set_up(row, rights, trusted, deps.settings.public_url)
    return Reply.ok(
        TrustView(
            provider=row["provider"],
            external_id=row["external_id"],
            trusted_identity=trusted or None,
            permissions=list(rights.permissions),
            commands=texts.commands,
            terraform=texts.terraform,
        )
    )


def _rights() -> Mapping[str, Rights]:
    listed = {name for service in SERVICES for listing in service.listings for name in listing.permissions}
    return {
        "aws": Rights(sorted({*listed, *FURTHER_PERMISSIONS, AWS_ATTRIBUTION})),
        "gcp": Rights(google_rights.READING, services=google_rights.SERVICES),
        "azure": Rights([azure_actions.EVERYTHING], azure_actions.CONTENTS),
        "kubernetes": Rights([]),
    }
