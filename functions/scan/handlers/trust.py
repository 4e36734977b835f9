"""The call that shows what a customer sets up so that DriftWise may read an account."""

from __future__ import annotations

from shared.http.call import Call
from shared.http.reply import Reply

from ..account_models import TrustView
from ..domain.trust import Rights, set_up
from ..queries import accounts as queries
from ..wiring import ScanDeps


def show_trust(call: Call, deps: ScanDeps) -> Reply:
    """Show the trust and the rights that an account needs, ready to paste."""
    account_id = call.path_uuid("account_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.get_account(tx, account_id)
    rights, trusted = _rights(row["provider"]), deps.settings.customer_trust_id
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


def _rights(provider: str) -> Rights:
    """Return what an account needs; each cloud's tables are loaded for accounts of that cloud."""
    if provider == "aws":
        from ..readers.aws import FURTHER_PERMISSIONS, SERVICES
        from ..readers.aws.trail import PERMISSION

        listed = {name for service in SERVICES for listing in service.listings for name in listing.permissions}
        return Rights(sorted({*listed, *FURTHER_PERMISSIONS, PERMISSION}))
    if provider == "gcp":
        from ..readers.gcp.rights import READING
        from ..readers.gcp.rights import SERVICES as APIS

        return Rights(READING, services=APIS)
    if provider == "azure":
        from ..readers.azure.actions import CONTENTS, EVERYTHING

        return Rights([EVERYTHING], CONTENTS)
    return Rights([])
