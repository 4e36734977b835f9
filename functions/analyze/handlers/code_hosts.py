"""Calls on connections to code hosts. Credentials go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import SecretStr

from shared.data.errors import UniqueViolated, WriteConflict
from shared.http.call import Call
from shared.http.paging import PageQuery, page
from shared.http.reply import Reply
from shared.ports.secret_store import Secret

from ..code_hosts.connecting import Credentials
from ..domain.code_hosts import URLS, api_of, clean_url
from ..domain.private_keys import check_private_key
from ..errors import CodeHostExists, CredentialNotTaken, TooManyCodeHosts
from ..models.code_hosts import NEEDS, ChangeCodeHost, CodeHostView, CreateCodeHost
from ..queries import code_hosts as queries
from ..wiring import AnalyzeDeps, code_host_place

MOST_HOSTS: Final = 50
_SETTINGS: Final = ("name", "comments_on_closed", "has_check_run", "fail_on")
_SECRETS: Final = ("private_key", "token")


def create_code_host(call: Call, deps: AnalyzeDeps) -> Reply:
    """Make a connection; where it leads to must be public, and is looked up."""
    wish = call.body(CreateCodeHost)
    url = clean_url(wish.url or URLS[wish.kind])
    secret = _secret(wish.private_key or wish.token)
    if wish.private_key is not None:
        check_private_key(secret.reveal())
    api = api_of(wish.kind, url)
    deps.code_hosts.guard.check(api)
    host_id = deps.entropy.uuid()
    credentials = Credentials(api, wish.app_id or 0, wish.installation_id or 0, secret)
    sealed = deps.envelope.seal(credentials.sealed_text(), code_host_place(call.org_id, host_id))
    with deps.db.unit(call.actor, call.idempotency) as tx:
        if not tx.try_lock("code-hosts"):
            raise WriteConflict
        if queries.count_code_hosts(tx) >= MOST_HOSTS:
            raise TooManyCodeHosts(cap=MOST_HOSTS)
        try:
            row = queries.insert_code_host(
                tx,
                id=host_id,
                kind=wish.kind,
                url=url,
                owner=wish.owner.lower(),
                app_id=wish.app_id,
                installation_id=wish.installation_id,
                credentials_encrypted=sealed,
                **{name: getattr(wish, name) for name in _SETTINGS},
                now=deps.clock.now(),
            )
        except UniqueViolated as error:
            raise CodeHostExists(url=url, owner=wish.owner.lower()) from error
        tx.audit("analyze:code_host:created", "code_host", host_id, **_facts(row))
        return tx.settle(Reply.created(CodeHostView.of(row)))


def list_code_hosts(call: Call, deps: AnalyzeDeps) -> Reply:
    """List connections, newest first."""
    query = call.query(PageQuery)
    with deps.db.unit(call.actor) as tx:
        rows = queries.list_code_hosts(tx, after_id=query.after_id(), most=query.limit + 1, skipped=query.offset)
    return Reply.ok(page(rows, query, CodeHostView.of))


def get_code_host(call: Call, deps: AnalyzeDeps) -> Reply:
    """Show one connection, and how its last use ended."""
    with deps.db.unit(call.actor) as tx:
        row = queries.get_code_host(tx, call.path_uuid("host_id"))
    return Reply.ok(CodeHostView.of(row))


def change_code_host(call: Call, deps: AnalyzeDeps) -> Reply:
    """Change a connection's settings, or put another credential into the place of the present one."""
    host_id, wish = call.path_uuid("host_id"), call.body(ChangeCodeHost)
    given = wish.model_dump(include=set(_SETTINGS), exclude_unset=True)
    changed = {name: value for name, value in given.items() if value is not None or name == "fail_on"}
    with deps.db.unit(call.actor) as tx:
        present = queries.lock_code_host(tx, host_id)
    sealed = _resealed(call, deps, present, wish)
    now = deps.clock.now()
    with deps.db.unit(call.actor) as tx:
        locked = queries.lock_code_host(tx, host_id)
        row = queries.change_code_host(
            tx,
            host_id,
            **{name: locked[name] for name in _SETTINGS} | changed,
            credentials_encrypted=sealed or locked["credentials_encrypted"],
            disabled_at=locked["disabled_at"] if wish.is_disabled is None else (now if wish.is_disabled else None),
            now=now,
        )
        facts = {"has_new_credential": sealed is not None, "is_disabled": row["disabled_at"] is not None}
        tx.audit("analyze:code_host:changed", "code_host", host_id, **_facts(row), **facts)
    return Reply.ok(CodeHostView.of(row))


def delete_code_host(call: Call, deps: AnalyzeDeps) -> Reply:
    """Forget a connection and its credentials. Comments that were written stay where they are."""
    host_id = call.path_uuid("host_id")
    with deps.db.unit(call.actor) as tx:
        row = queries.delete_code_host(tx, host_id)
        tx.audit("analyze:code_host:deleted", "code_host", host_id, **_facts(row))
    return Reply.no_content()


def _resealed(call: Call, deps: AnalyzeDeps, present: Mapping[str, Any], wish: ChangeCodeHost) -> bytes | None:
    """Seal a new credential in the place of the present one; None when none was given.

    Raises:
        CredentialNotTaken: (422 `credential_not_taken`).
        PrivateKeyUnusable: (422 `private_key_unusable`).
    """
    given = {name: getattr(wish, name) for name in _SECRETS if getattr(wish, name) is not None}
    if not given:
        return None
    if set(given) - NEEDS[present["kind"]]:
        raise CredentialNotTaken(kind=present["kind"])
    secret = _secret(next(iter(given.values())))
    if present["kind"] == "github":
        check_private_key(secret.reveal())
    place = code_host_place(call.org_id, UUID(str(present["id"])))
    opened = Credentials.of_sealed(deps.envelope.open(bytes(present["credentials_encrypted"]), place))
    changed = Credentials(opened.api, opened.app_id, opened.installation_id, secret)
    return deps.envelope.seal(changed.sealed_text(), place)


def _secret(given: SecretStr | None) -> Secret:
    return Secret(given.get_secret_value().encode() if given else b"")


def _facts(row: Mapping[str, Any]) -> dict[str, object]:
    return {name: row[name] for name in ("kind", "url", "owner")}
