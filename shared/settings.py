"""Settings of one process, read once from the environment.

Owns every environment variable's name. A secret is never among them: secrets come from the `SecretStore` port.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from .http.errors import AppError

PREFIX = "DW_"
_SWITCHES = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False, "": False}


class SettingMissing(AppError):
    """500 `setting_missing`: the deployment left out a setting that this process needs."""

    code, status, title = "setting_missing", 500, "A setting is missing"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting; the variable is the upper-case name behind `DW_`.

    Attributes:
        env: `production` or `emulator`.
        function: the function's folder name.
        entry_point: the entry point this process serves.
        project, region: Google Cloud project id and region.
        public_url: the address people and customers use, without a trailing slash.
        database_url: `postgresql://…`, emulator only.
        database_password_secret: the secret whose versions hold that login's password, instead of the URL; emulator only.
        database_instance, database_name, database_user: Cloud SQL instance connection name, database and IAM user.
        kms_endpoint, secrets_endpoint, pubsub_endpoint: `host:port` of insecure gRPC servers, emulator only.
        storage_endpoint: URL of a Cloud Storage stand-in, emulator only.
        jwks_url: where this suite's own token keys are published.
        token_activation_seconds: how long a version of the token key is published before it signs.
        events_issuer, events_jwks_url, events_audience, events_sender: how pushed events are authenticated.
        oidc_issuer, oidc_client_id: the sign-in provider, when there is one only.
        oidc_providers: the sign-in providers as a JSON list, instead of the two settings above; see `functions/auth/README.md`.
        trusted_issuers: other issuers whose access tokens are taken, a JSON list of `issuer`, `jwks_url`, `audience`, `token_type`.
        admin_domains: e-mail domains, separated by commas; the first of their people to sign in becomes platform admin.
        dns_server: `address:port` of the resolver that proofs of domains are asked from; emulator only.
        security_contact: where vulnerabilities are reported, a URI of `mailto`, `https` or `tel`; empty to publish none.
        security_contact_until: the day from which on nobody vouches for that address, as in `2026-12-31`; at most a year ahead.
        security_policy: where the operator's policy for such reports stands; empty for none.
        secret_scanning_keys_url: where GitHub publishes the keys that it signs reports of leaked keys with; empty to take no reports.
        redis_url: the rate limiter's server; empty for no limits, emulator only.
        redis_ca: certificate authority of that server, PEM; empty for the public ones.
        redis_deadline_ms: how long the rate limiter may keep a call waiting.
        rate_scale: what every rate limit is multiplied with; 1 in production.
        body_seconds: how long a body may take to arrive, and a second more for each MiB that the call takes.
        customer_trust_id: number of the service account that customers' clouds are to trust, as they are told; empty where there is none.
        aws_endpoint: an AWS stand-in, emulator only.
        google_endpoint: a stand-in for the hosts of Google that customers' projects are read through, emulator only.
        azure_endpoint: a stand-in for the hosts of Azure, emulator only.
        aws_attempts: how often a call to AWS is made before it counts as failed; fewer where nobody throttles in earnest.
        settling_seconds: for how long after a change the indexes of Google Cloud and Azure may still tell what was before it: so long a
            second reading waits; less where a stand-in tells at once.
        llm_provider: whose language model explains plans to organisations without a key of their own; empty for none.
        llm_model: that model, as its vendor calls it.
        llm_endpoint: where it is asked, of `azure_openai` and `openai_compatible`; may lead into the operator's own network.
        llm_region: of `bedrock`.
        smtp_host: the server that notifications by e-mail are handed to; empty for no e-mail.
        smtp_port: of it.
        smtp_tls: `starttls`, or `tls` for a connection that begins with it; without TLS nothing is sent.
        smtp_user: who signs in there, with the password in the secret `smtp-password`; empty for nobody.
        smtp_from: the address that notifications come from.
        smtp_ca: certificate authority of that server, PEM; empty for the public ones.
        slack_client_id: of the operator's Slack app, whose secret is `slack-client-secret`; empty for none.
        slack_endpoint: a Slack stand-in, emulator only.
        stripe_prices: which price at Stripe buys which plan, a JSON object; empty where nothing is sold. With it the secrets
            `stripe-secret-key` and `stripe-webhook-secret` are Stripe's.
        stripe_endpoint: a Stripe stand-in, emulator only.
        pool_size: database connections of this process.
        egress_bypass: `address:port` of loopback endpoints, separated by commas, that outbound calls may reach without TLS; emulator only.
        otlp_endpoint: where spans and metrics are sent, OTLP over HTTP, without `/v1/traces`; empty for none.
        trace_percent: how many of a hundred requests are traced; what a traced one causes always is.
        debug: never in production.
    """

    env: str = "production"
    function: str = ""
    entry_point: str = ""
    project: str = ""
    region: str = ""
    public_url: str = ""
    database_url: str = ""
    database_password_secret: str = ""
    database_instance: str = ""
    database_name: str = "driftwise"
    database_user: str = ""
    kms_endpoint: str = ""
    secrets_endpoint: str = ""
    pubsub_endpoint: str = ""
    storage_endpoint: str = ""
    jwks_url: str = ""
    token_activation_seconds: int = 3600
    events_issuer: str = "https://accounts.google.com"
    events_jwks_url: str = "https://www.googleapis.com/oauth2/v3/certs"
    events_audience: str = ""
    events_sender: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_providers: str = ""
    trusted_issuers: str = ""
    admin_domains: str = ""
    dns_server: str = ""
    security_contact: str = ""
    security_contact_until: str = ""
    security_policy: str = ""
    secret_scanning_keys_url: str = "https://api.github.com/meta/public_keys/secret_scanning"  # noqa: S105  # an address
    redis_url: str = ""
    redis_ca: str = ""
    redis_deadline_ms: int = 100
    rate_scale: int = 1
    body_seconds: int = 10
    customer_trust_id: str = ""
    aws_endpoint: str = ""
    google_endpoint: str = ""
    azure_endpoint: str = ""
    aws_attempts: int = 8
    settling_seconds: int = 120
    llm_provider: str = ""
    llm_model: str = ""
    llm_endpoint: str = ""
    llm_region: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    smtp_user: str = ""
    smtp_from: str = ""
    smtp_ca: str = ""
    slack_client_id: str = ""
    slack_endpoint: str = ""
    stripe_prices: str = ""
    stripe_endpoint: str = ""
    pool_size: int = 5
    egress_bypass: str = ""
    otlp_endpoint: str = ""
    trace_percent: int = 10
    debug: bool = False

    @property
    def is_production(self) -> bool:
        """Whether every safety must be on; anything but the emulator counts as production."""
        return self.env != "emulator"

    def require(self, name: str) -> str:
        """Return a text setting.

        Raises:
            SettingMissing: (500 `setting_missing`) it is empty.
        """
        value = getattr(self, name)
        if not value:
            raise SettingMissing(f"set {PREFIX}{name.upper()}", setting=f"{PREFIX}{name.upper()}")
        return str(value)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        environment: variables to read; the process's own when None.

    Raises:
        ValueError: a number or a switch cannot be read; names the variable.
    """
    found = os.environ if environment is None else environment
    values: dict[str, str | int | bool] = {}
    for field in fields(Settings):
        value = found.get(PREFIX + field.name.upper())
        if value is None:
            continue
        values[field.name] = _converted(field.name, field.default, value)
    return Settings(**values)  # type: ignore[arg-type]  # each value was converted by its field's default above


def _converted(name: str, default: object, value: str) -> str | int | bool:
    """Convert one variable; a value that could be read in two ways is refused, as it may be a safety's."""
    if isinstance(default, bool):
        if value.lower() not in _SWITCHES:
            raise ValueError(f"{PREFIX}{name.upper()} must be one of {', '.join(_SWITCHES)}")
        return _SWITCHES[value.lower()]
    if not isinstance(default, int):
        return value
    if not value.isascii() or not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{PREFIX}{name.upper()} must be a whole number above 0")
    return int(value)
