"""Asks an identity provider to sign somebody in: a signed AuthnRequest, by redirect or by POST.

Source: SAML core 3.4.1; bindings 3.4 (redirect, with the signature over the query as it is sent) and 3.5 (POST).
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from lxml import etree

from shared.ports.clock import Entropy

from .documents import Element
from .names import ISSUER, POST_BINDING, SAML, SAMLP, VERSION, saml, samlp
from .signing import Signer, sign_element, signature_value
from .times import write_instant

_ID_BYTES = 20
_MOST_RELAY_STATE_BYTES = 80


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A wish to have somebody signed in.

    Attributes:
        id: unguessable, and stored by the caller until the one response that may answer it.
        destination: the identity provider's address for the binding that is used.
        force_authn: ask for the password again, also of somebody who is signed in there.
        name_id_format: None lets the identity provider choose.
        authn_contexts: at least one of these (SAML authn-context classes); none asked for when empty.
    """

    id: str
    issued_at: datetime
    destination: str
    sp_entity_id: str
    acs_url: str
    force_authn: bool = False
    name_id_format: str | None = None
    authn_contexts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PostForm:
    """A form for the browser to post: its address and its hidden fields."""

    action: str
    fields: dict[str, str]


def new_request_id(entropy: Entropy) -> str:
    """Make an id that is an XML name and that nobody can guess."""
    return f"_{entropy.token_bytes(_ID_BYTES).hex()}"


def redirect_url(request: AuthnRequest, signer: Signer, relay_state: str) -> str:
    """Return where to send the browser.

    Args:
        request: its destination is the address for this binding.
        signer: the service provider's key.
        relay_state: comes back with the response; at most 80 bytes (bindings 3.4.3).
    """
    _check_relay_state(relay_state)
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    message = deflate.compress(etree.tostring(_write(request))) + deflate.flush()
    fields = {
        "SAMLRequest": base64.b64encode(message).decode(),
        "RelayState": relay_state,
        "SigAlg": str(signer.algorithm),
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    signed = f"{query}&Signature={quote(signature_value(signer, query.encode()), safe='')}"
    return f"{request.destination}{'&' if '?' in request.destination else '?'}{signed}"


def post_form(request: AuthnRequest, signer: Signer, relay_state: str) -> PostForm:
    """Return what the browser has to post; the signature is in the request itself."""
    _check_relay_state(relay_state)
    element = _write(request)
    sign_element(element, signer)
    message = base64.b64encode(etree.tostring(element)).decode()
    return PostForm(request.destination, {"SAMLRequest": message, "RelayState": relay_state})


def _check_relay_state(relay_state: str) -> None:
    if not 0 < len(relay_state.encode()) <= _MOST_RELAY_STATE_BYTES:
        raise ValueError("a relay state has 1 to 80 bytes")


def _write(request: AuthnRequest) -> Element:
    root = etree.Element(
        samlp("AuthnRequest"),
        {
            "ID": request.id,
            "Version": VERSION,
            "IssueInstant": write_instant(request.issued_at),
            "Destination": request.destination,
            "AssertionConsumerServiceURL": request.acs_url,
            "ProtocolBinding": POST_BINDING,
        },
        nsmap={"samlp": SAMLP, "saml": SAML},
    )
    if request.force_authn:
        root.set("ForceAuthn", "true")
    etree.SubElement(root, ISSUER).text = request.sp_entity_id
    policy = etree.SubElement(root, samlp("NameIDPolicy"), {"AllowCreate": "true"})
    if request.name_id_format is not None:
        policy.set("Format", request.name_id_format)
    if request.authn_contexts:
        wanted = etree.SubElement(root, samlp("RequestedAuthnContext"), {"Comparison": "exact"})
        for context in request.authn_contexts:
            etree.SubElement(wanted, saml("AuthnContextClassRef")).text = context
    return root
