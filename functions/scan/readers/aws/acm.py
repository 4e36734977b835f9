"""Reads ACM certificates; details and tags take a call each. Private keys are never asked for.

Source: AWS Certificate Manager API Reference, ListCertificates, DescribeCertificate, ListTagsForCertificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...domain.resources import LiveResource
from .base import Finding, Gap, Item, Listing, Scope, Service, attempt, each, tag_map

_KIND = "aws_acm_certificate"
_GONE = ("ResourceNotFoundException",)
_ALGORITHMS = [
    "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
]  # fmt: skip


def read_certificates(scope: Scope) -> Iterator[Finding]:
    """List certificates of every key type; without the filter AWS lists RSA 2048 alone."""
    pages = scope.pages("acm", "list_certificates", "CertificateSummaryList", Includes={"keyTypes": _ALGORITHMS})
    yield from each(pages, partial(_certificate, scope))


def _certificate(scope: Scope, item: Item) -> Iterator[Finding]:
    client, key = scope.client("acm"), item["CertificateArn"]
    found = attempt("acm", partial(client.describe_certificate, CertificateArn=key), *_GONE)
    if isinstance(found, Gap):
        yield found.unread(_KIND, key)
        return
    if not found:  # deleted since the list was made
        return
    certificate, tags = found["Certificate"], dict[str, str]()
    options = certificate.get("Options") or {}
    attributes: dict[str, object] = {
        "domain_name": certificate.get("DomainName"),
        "subject_alternative_names": certificate.get("SubjectAlternativeNames"),
        "key_algorithm": str(certificate.get("KeyAlgorithm") or "").replace("-", "_") or None,
        "certificate_authority_arn": certificate.get("CertificateAuthorityArn"),
        "options": [
            {"certificate_transparency_logging_preference": options.get("CertificateTransparencyLoggingPreference")}
        ],
    }
    tagged = attempt("acm", partial(client.list_tags_for_certificate, CertificateArn=key), *_GONE)
    if isinstance(tagged, Gap):
        yield tagged.unread(_KIND, key, "tags")
    else:
        attributes["tags"] = tags = tag_map(tagged.get("Tags"))
    is_made = bool(certificate.get("ManagedBy"))  # CloudFront asks for some itself
    yield LiveResource(_KIND, key, scope.region, attributes, key, cloud_made=is_made, tags=tags)


SERVICE = Service(
    "acm",
    (
        Listing(
            types=(_KIND,),
            read=read_certificates,
            permissions=("acm:ListCertificates", "acm:DescribeCertificate", "acm:ListTagsForCertificate"),
        ),
    ),
)
