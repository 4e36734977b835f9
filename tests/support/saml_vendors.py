"""Fills in and signs the responses in the vendors' shapes (`tests/fixtures/saml/vendors`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from .saml_idp import Form, Request, SamlIdp

FOLDER = Path(__file__).parents[1] / "fixtures" / "saml" / "vendors"
_XS = {"xs": "http://www.w3.org/2001/XMLSchema"}
_ASSERTION = re.compile(r"<(saml2:|)Assertion .*</\1Assertion>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a vendor signs, and who it says has signed in."""

    name: str
    entity_id: str
    form: Form = field(default_factory=Form)
    digits: int = 3
    name_id: str = "mina@acme.example"
    display_name: str | None = "Mina Member"
    groups: tuple[str, ...] = ()
    email: str | None = "mina@acme.example"


VENDORS = (
    Vendor(
        "okta",
        "http://www.okta.com/exkacme1example",
        Form(inclusive=_XS, wrap_base64="&#13;\n"),
        groups=("Everyone", "Platform"),
    ),
    *(
        Vendor(
            name,
            "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",
            Form(prefix=False),
            digits=7,
            groups=("aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"),
        )
        for name in ("entra", "entra_both")
    ),
    Vendor("google", "https://accounts.google.com/o/saml2?idpid=C00example", Form(wrap_base64="\n")),
    Vendor("jumpcloud", "JumpCloud", groups=("Platform",)),
    Vendor(
        "adfs",
        "http://sts.acme.example/adfs/services/trust",
        name_id="ACME\\mina",
        display_name=None,
        groups=("Domain Users", "Platform"),
    ),
)


def respond(vendor: Vendor, idp: SamlIdp, request: Request, *, now: datetime) -> bytes:
    """Write the vendor's response to a request."""
    xml = (FOLDER / f"{vendor.name}.xml").read_text(encoding="utf-8")
    words = {
        "now": _instant(now, vendor.digits),
        "not_before": _instant(now - timedelta(minutes=5), vendor.digits),
        "end": _instant(now + timedelta(minutes=5), vendor.digits),
        "acs": request.acs_url,
        "audience": request.issuer,
        "request": request.id,
    }
    for word, value in words.items():
        xml = xml.replace(f"@{word}@", value)
    found = _ASSERTION.search(xml)
    if found is None:
        raise ValueError("the fixture has no assertion")
    xml = xml.replace(found[0], idp.sign(found[0], vendor.form))
    return (idp.sign(xml, vendor.form) if "@signature@" in xml else xml).encode()


def _instant(at: datetime, digits: int) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}0"[: 20 + digits] + "Z"
