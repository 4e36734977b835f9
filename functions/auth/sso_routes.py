"""Signing in by an organisation's own identity provider, and setting that up: the routes."""

from __future__ import annotations

from shared.http.errors import Invalid, MalformedRequest, MediaTypeUnsupported
from shared.http.permissions import may
from shared.http.routes import Route
from shared.ports.errors import ServiceAway
from shared.security.egress import EgressFailed, EgressRefused, EgressTimeout, EgressTooLarge
from shared.security.plans import FeatureRequired
from shared.security.ratelimit import SIGNED_IN

from . import errors
from .handlers import saml, sso_config, sso_domains
from .models.sso import AddDomain, DomainPage, DomainView, PutSsoConfig, SamlLoginQuery, SsoConfigView
from .wiring import AuthDeps

_SAML = "/auth/saml/{connection}"
_SSO = "/api/v2/orgs/{org_id}/sso-config"
_RAW = (MalformedRequest, MediaTypeUnsupported, Invalid)  # of bodies that may be forms

SSO_ROUTES: list[Route[AuthDeps]] = [
    Route("GET", f"{_SAML}/metadata", saml.show_saml_metadata, may("saml:sign_in")),
    Route(
        "GET",
        f"{_SAML}/login",
        saml.begin_saml_sign_in,
        may("saml:sign_in"),
        query=SamlLoginQuery,
        status=302,
        errors=(errors.SamlMetadataInvalid, ServiceAway),
    ),
    Route(
        "POST",
        f"{_SAML}/acs",
        saml.finish_saml_sign_in,
        may("saml:sign_in"),
        status=303,
        is_raw=True,
        errors=(
            *_RAW,
            errors.SignInFailed,
            errors.SamlRefused,
            errors.SamlMetadataInvalid,
            errors.SamlEmailMissing,
            errors.DomainUnproven,
            errors.PersonDisabled,
            errors.SwitchedOff,
            errors.SeatLimitReached,
        ),
    ),
    Route("GET", _SSO, sso_config.show_sso_config, may("sso:read"), reply=SsoConfigView),
    Route(
        "PUT",
        _SSO,
        sso_config.put_sso_config,
        may("sso:change"),
        body=PutSsoConfig,
        reply=SsoConfigView,
        errors=(
            FeatureRequired,
            errors.SamlMetadataInvalid,
            EgressRefused,
            EgressFailed,
            EgressTimeout,
            EgressTooLarge,
            ServiceAway,
        ),
    ),
    Route("DELETE", _SSO, sso_config.delete_sso_config, may("sso:change"), status=204),
    Route("GET", f"{_SSO}/domains", sso_domains.list_domains, may("sso:read"), reply=DomainPage),
    Route(
        "POST",
        f"{_SSO}/domains",
        sso_domains.add_domain,
        may("sso:change"),
        body=AddDomain,
        reply=DomainView,
        status=201,
        errors=(FeatureRequired, errors.DomainInvalid, errors.TooManyDomains),
    ),
    Route(
        "POST",
        f"{_SSO}/domains/{{domain}}/verify",
        sso_domains.verify_domain,
        may("sso:change"),
        reply=DomainView,
        errors=(errors.DomainInvalid, errors.DomainProofMissing, errors.DomainTaken, errors.DnsAway),
        limit=SIGNED_IN.costing(20),
    ),
    Route(
        "DELETE",
        f"{_SSO}/domains/{{domain}}",
        sso_domains.delete_domain,
        may("sso:change"),
        status=204,
        errors=(errors.DomainInvalid,),
    ),
]
