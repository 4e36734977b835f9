"""Who can sign in on a laptop, and the page that asks who does."""

from __future__ import annotations

import hashlib
import html
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in."""

    email: str
    name: str

    @property
    def subject(self) -> str:
        """Return the lasting id: the same in every emulator."""
        return hashlib.sha256(f"driftwise:{self.email}".encode()).hexdigest()[:24]


PEOPLE = (
    Person("owner@acme.example", "Olivia Owner"),
    Person("admin@acme.example", "Amir Admin"),
    Person("member@acme.example", "Mina Member"),
    Person("viewer@acme.example", "Viktor Viewer"),
    Person("platform@driftwise.example", "Paula Platform"),
)


def find_person(people: tuple[Person, ...], email: str) -> Person | None:
    """Find whoever was clicked on."""
    return next((person for person in people if person.email == email), None)


def people_page(people: tuple[Person, ...], *, hint: str = "", action: str = "", hidden: str = "") -> str:
    """Write the page that asks who signs in.

    Args:
        people: a button each.
        hint: whose button has the focus.
        action: where the choice is posted; where the page came from when empty.
        hidden: goes back with the choice, as `question`.
    """
    buttons = "".join(
        f'<button name="email" value="{html.escape(person.email)}"{" autofocus" if person.email == hint else ""}>'
        f"<strong>{html.escape(person.name)}</strong><span>{html.escape(person.email)}</span></button>"
        for person in people
    )
    target = f' action="{html.escape(action)}"' if action else ""
    kept = f'<input type="hidden" name="question" value="{html.escape(hidden)}">' if hidden else ""
    return _PAGE.replace("{form}", f'<form method="post"{target}>{kept}{buttons}</form>')


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in: local identity provider</title><style>
body { font: 16px/1.5 system-ui, sans-serif; background: #f4f5f7; color: #1d2430; display: grid; place-items: center;
  min-height: 100vh; margin: 0 }
main { background: #fff; padding: 2rem; border-radius: 12px; width: min(26rem, 90vw); box-shadow: 0 2px 12px #0002 }
h1 { font-size: 1.25rem; margin: 0 } p { margin: .25rem 0 1.25rem; color: #5a6472 }
button { display: flex; flex-direction: column; width: 100%; margin: .5rem 0; padding: .7rem 1rem; font: inherit;
  text-align: left; background: #fff; border: 1px solid #c9d0da; border-radius: 8px; cursor: pointer }
button:hover, button:focus-visible { border-color: #2457d6; outline: 2px solid #2457d6; outline-offset: -1px }
span { color: #5a6472; font-size: .9rem }
</style></head><body><main><h1>Choose who signs in</h1>
<p>Local identity provider: it asks for no password.</p>{form}</main></body></html>
"""
