"""The one page of SAML: a form that posts itself to the identity provider, under a policy that allows just that."""

from __future__ import annotations

import base64
import html

from shared.http.reply import Reply
from shared.ports.clock import Entropy

from .saml.requests import PostForm

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head><body>
<form method="post" action="{action}">{inputs}<noscript><button>Continue</button></noscript></form>
<script nonce="{nonce}">document.forms[0].submit()</script></body></html>
"""


def post_page(form: PostForm, entropy: Entropy) -> Reply:
    """Return the page. Source: SAML bindings 3.5.4."""
    nonce = base64.b64encode(entropy.token_bytes(16)).decode()
    inputs = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in form.fields.items()
    )
    reply = Reply.text(_PAGE.format(action=html.escape(form.action), inputs=inputs, nonce=nonce), "text/html")
    reply.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    return reply
