"""What a browser sees of the SAML identity provider: it arrives with a request and leaves with an answer to post."""

from __future__ import annotations

import base64
import html
import secrets
from datetime import UTC, datetime

import flask

from .once import Once
from .people import Person, find_person, people_page
from .saml_provider import Question, SamlProvider, SamlRefusedError

_QUESTION_SECONDS = 600


def add_saml_pages(pages: flask.Blueprint, provider: SamlProvider, people: tuple[Person, ...]) -> None:
    """Add the pages below `/saml`."""
    questions: Once[Question] = Once()

    def ask(question: Question) -> str:
        key = questions.put(question, _QUESTION_SECONDS)
        return people_page(people, action=f"{provider.base_url}/saml/choose", hidden=key)

    def choose() -> flask.Response:
        question = questions.get(flask.request.form.get("question", ""), take=True)
        person = find_person(people, flask.request.form.get("email", ""))
        if question is None or person is None:
            raise SamlRefusedError("the question is unknown, answered or too old, or nobody of that name is here")
        return _post_back(provider, question, person)

    pages.get("/saml/metadata", endpoint="saml")(lambda: _metadata(provider))
    pages.get("/saml/sso", endpoint="saml_redirect")(
        lambda: ask(provider.read_redirect(flask.request.query_string.decode()))
    )
    pages.post("/saml/sso", endpoint="saml_post")(lambda: ask(provider.read_post(flask.request.form)))
    pages.post("/saml/choose", endpoint="saml_choose")(choose)
    pages.errorhandler(SamlRefusedError)(_render)


def _metadata(provider: SamlProvider) -> flask.Response:
    return flask.Response(provider.keys.saml_metadata(provider.base_url), mimetype="application/samlmetadata+xml")


def _post_back(provider: SamlProvider, question: Question, person: Person) -> flask.Response:
    """Return a page that posts the answer by itself, as identity providers do."""
    response = provider.answer(question, email=person.email, name=person.name, now=datetime.now(UTC))
    fields = {"SAMLResponse": base64.b64encode(response.encode()).decode(), "RelayState": question.relay_state}
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items() if value
    )
    nonce = secrets.token_urlsafe(16)
    reply = flask.Response(_FORM.format(action=html.escape(question.acs_url), inputs=inputs, nonce=nonce))
    reply.headers["Content-Security-Policy"] = f"default-src 'none'; script-src 'nonce-{nonce}'; frame-ancestors 'none'"
    return reply


def _render(error: SamlRefusedError) -> tuple[dict[str, str], int]:
    return {"error": "saml_request_refused", "error_description": str(error)}, 400


_FORM = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head><body>
<form method="post" action="{action}">{inputs}<noscript><button>Continue</button></noscript></form>
<script nonce="{nonce}">document.forms[0].submit()</script></body></html>
"""
