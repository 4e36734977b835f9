"""How people of an organisation sign in by its own identity provider: set up, shown, taken away, kept current."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.data.errors import WriteConflict
from shared.data.unit_of_work import UnitOfWork
from shared.http.call import Call
from shared.http.errors import AppError
from shared.http.reply import Reply
from shared.security.egress import EgressFailed
from shared.security.errors import NotFound
from shared.security.plans import has_feature, require_feature
from shared.telemetry.log import logger

from ..errors import SamlMetadataInvalid
from ..models.sso import PutSsoConfig, SsoConfigView
from ..queries import orgs
from ..queries import sso as queries
from ..wiring import AuthDeps

_REFRESH_SECONDS = 86_400
_CONNECTIONS_PER_RUN = 200
_log = logger("sso_config")


def show_sso_config(call: Call, deps: AuthDeps) -> Reply:
    """Show how people of the organisation sign in by SAML."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_connection(tx)
    return Reply.ok(_view(call, deps, row))


def put_sso_config(call: Call, deps: AuthDeps) -> Reply:
    """Set up, or change, how people of the organisation sign in by SAML."""
    from ..saml_party import read_provider

    require_feature("saml", call.actor.plan)
    wish, now = call.body(PutSsoConfig), deps.clock.now()
    metadata_xml = wish.metadata_xml or _fetch(deps, wish.metadata_url or "")
    provider = read_provider(deps, metadata_xml, wish.idp_entity_id, now)
    values = {
        "is_enabled": wish.enabled,
        "is_enforced": wish.enforced,
        "allows_unsolicited": wish.allow_idp_initiated,
        "allows_cbc": wish.allow_cbc_encryption,
        "idp_entity_id": provider.entity_id,
        "metadata_url": wish.metadata_url,
        "metadata_xml": metadata_xml,
        "email_attribute": wish.email_attribute,
        "default_role": wish.default_role,
        "now": now,
    }
    made = _new_key_if_none(call, deps)
    with deps.db.unit(call.actor) as tx:
        before = queries.lock_connection(tx)
        if before is not None:
            row = queries.update_connection(tx, **values)
        elif made is not None:
            row = queries.insert_connection(tx, **made, **values)
        else:
            raise WriteConflict  # taken away since it was looked at
        if before is not None and (not wish.enabled or before["idp_entity_id"] != provider.entity_id):
            orgs.end_bound_sessions(tx, user_id=None, now=now)  # nobody vouches for them any more
        _audit(tx, row)
    return Reply.ok(_view(call, deps, row))


def delete_sso_config(call: Call, deps: AuthDeps) -> Reply:
    """Take the organisation's own sign-in away; sessions that came by it end in the same transaction."""
    with deps.db.unit(call.actor) as tx:
        connection_id = queries.delete_connection(tx)
        if connection_id is None:
            raise NotFound
        orgs.end_bound_sessions(tx, user_id=None, now=deps.clock.now())
        tx.audit("auth:sso_config:deleted", "sso_connection", connection_id)
        tx.emit("org-events", {"event": "auth:sso_config:deleted"})
    return Reply.no_content()


def refresh_metadata(call: Call, deps: AuthDeps) -> Reply:
    """Read the metadata of every connection again that has an address and was not read for a day."""
    due = queries.list_stale(deps.db, older_than_seconds=_REFRESH_SECONDS, most=_CONNECTIONS_PER_RUN)
    for item in due:
        with deps.db.unit_in(item["org_id"], call.actor) as tx:
            row = queries.get_connection(tx)
        if row is not None and row["metadata_url"] is not None:
            _refresh_one(call, deps, item["org_id"], row)
    return Reply.ok({"read": len(due)})


def _refresh_one(call: Call, deps: AuthDeps, org_id: UUID, row: Mapping[str, Any]) -> None:
    """Read one connection's metadata again; what cannot be used is noted, and the last good ones go on counting."""
    from ..saml_party import read_provider

    now, found, problem = deps.clock.now(), None, ""
    try:
        found = _fetch(deps, row["metadata_url"])
        read_provider(deps, found, row["idp_entity_id"], now)
    except AppError as error:
        found, problem = None, (error.detail or error.title)[:200]
        _log.warning("metadata of a connection not refreshed", connection_id=str(row["id"]), code=error.code)
    changed = found is not None and found != row["metadata_xml"]
    with deps.db.unit_in(org_id, call.actor) as tx:
        queries.set_metadata(
            tx, row["id"], metadata_xml=found, metadata_error=problem, metadata_url=row["metadata_url"], now=now
        )
        if changed:
            tx.audit("auth:sso_config:metadata_changed", "sso_connection", row["id"])
            tx.emit("org-events", {"event": "auth:sso_config:metadata_changed"})


def _fetch(deps: AuthDeps, url: str) -> str:
    """Read metadata from an address that a customer gave, through the egress guard."""
    reply = deps.egress.request(
        "GET", url, headers={"Accept": "application/samlmetadata+xml, application/xml, text/xml"}
    )
    if reply.status != 200:  # noqa: PLR2004
        raise EgressFailed(f"the address of the metadata answered {reply.status}")
    try:
        return reply.content.decode("utf-8")
    except UnicodeDecodeError:
        raise SamlMetadataInvalid("It is not UTF-8.") from None


def _new_key_if_none(call: Call, deps: AuthDeps) -> dict[str, Any] | None:
    """Make the key of a connection that there is not yet: slow, and KMS is asked, so no transaction is open meanwhile."""
    from ..saml_party import key_place, make_key

    with deps.db.unit(call.actor) as tx:
        if queries.get_connection(tx) is not None:
            return None
    connection_id = deps.entropy.uuid()
    key, certificate = make_key(deps.entropy, f"DriftWise {connection_id}", deps.clock.now())
    sealed = deps.envelope.seal(key, key_place(call.org_id, connection_id))
    return {"id": connection_id, "sp_key_encrypted": sealed, "sp_certificate": certificate}


def _audit(tx: UnitOfWork, row: Mapping[str, Any]) -> None:
    facts = {
        name: row[name]
        for name in ("is_enabled", "is_enforced", "allows_unsolicited", "allows_cbc", "idp_entity_id", "default_role")
    }
    tx.audit("auth:sso_config:changed", "sso_connection", row["id"], **facts)
    told = {"is_enabled": row["is_enabled"], "is_enforced": row["is_enforced"]}
    tx.emit("org-events", {"event": "auth:sso_config:changed", **told})


def _view(call: Call, deps: AuthDeps, row: Mapping[str, Any] | None) -> SsoConfigView:
    from ..saml_party import acs_url, read_provider, show_certificate, sp_entity_id

    url = deps.settings.public_url
    has_scim = has_feature("scim", call.actor.plan)
    scim_endpoint = f"{url}/scim/v2/{call.org_id}" if has_scim else None
    if row is None:
        return SsoConfigView(enabled=False, scim_endpoint=scim_endpoint)
    try:
        certificates = read_provider(deps, row["metadata_xml"], row["idp_entity_id"], deps.clock.now()).certificates
    except SamlMetadataInvalid:  # they were good when they came, and are too old by now
        certificates = ()
    entity_id = sp_entity_id(url, row["id"])
    return SsoConfigView(
        enabled=row["is_enabled"],
        enforced=row["is_enforced"],
        connection_id=row["id"],
        idp_entity_id=row["idp_entity_id"],
        certificates=[show_certificate(item) for item in certificates],
        metadata_url=row["metadata_url"],
        metadata_fetched_at=row["metadata_fetched_at"],
        metadata_error=row["metadata_error"] or None,
        allow_idp_initiated=row["allows_unsolicited"],
        allow_cbc_encryption=row["allows_cbc"],
        email_attribute=row["email_attribute"],
        default_role=row["default_role"],
        sp_entity_id=entity_id,
        sp_metadata_url=entity_id,
        acs_url=acs_url(url, row["id"]),
        login_url=f"{url}/auth/saml/{row['id']}/login",
        scim_endpoint=scim_endpoint,
    )
