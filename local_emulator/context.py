"""What the emulator knows once its table stands: settings, addresses and passwords, for whoever works with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.suite import EntryPoint, Suite
from shared.data.urls import with_login

from .model_server import MODEL
from .names import CLIENT_ID, IDENTITY_PROVIDER_PREFIX, PROJECT, REGION, SENDER
from .people import PEOPLE
from .ports import HOST
from .processes import Ports

_OWN = "emulator"

# What functions reach through a link, when there are links: its name to the process and the purpose of the port that it leads to.
LINKED: Mapping[str, tuple[str, str]] = {
    "postgres": ("postgres", "main"),
    "redis": ("redis", "main"),
    "kms": ("google", "grpc"),
    "secrets": ("google", "grpc"),
    "pubsub": ("google", "grpc"),
    "storage": ("google", "http"),
    "aws": ("moto", "main"),
}
_VARIABLES = {
    "DW_DATABASE_URL": "postgres",
    "DW_REDIS_URL": "redis",
    "DW_KMS_ENDPOINT": "kms",
    "DW_SECRETS_ENDPOINT": "secrets",
    "DW_PUBSUB_ENDPOINT": "pubsub",
    "DW_STORAGE_ENDPOINT": "storage",
    "DW_AWS_ENDPOINT": "aws",
}


@dataclass(frozen=True, slots=True)
class Context:
    """One running emulator.

    Attributes:
        root: the folder that holds `functions/` and `shared/`.
        owner_url: the owner's database URL; None when no database was asked for.
        passwords: login role to password.
        gateway_url: the public address, without a trailing slash.
        ports: of every process in the table.
        names: the processes that are started.
        more_providers: sign-in providers besides the emulator's own, with their client secrets.
    """

    suite: Suite
    root: Path
    owner_url: str | None
    passwords: Mapping[str, str]
    gateway_url: str
    ports: Ports
    names: frozenset[str]
    more_providers: tuple[Mapping[str, object], ...] = ()

    @property
    def issuer(self) -> str:
        """Return the identity provider's issuer, as browsers and functions see it."""
        return self.gateway_url + IDENTITY_PROVIDER_PREFIX

    @property
    def databases(self) -> dict[str, str]:
        """Return the database URL of each login role, and of `owner`."""
        if self.owner_url is None:
            return {}
        logins = {role: with_login(self.owner_url, role, password) for role, password in self.passwords.items()}
        return {**logins, "owner": self.owner_url}

    @property
    def google(self) -> dict[str, str]:
        """Return the addresses of the Google services: `grpc` as host:port, `http` as URL."""
        if "google" not in self.names:
            return {}
        return {"grpc": f"{HOST}:{self.ports.of('google', 'grpc')}", "http": self.ports.url("google", "http")}

    @property
    def redis_url(self) -> str | None:
        """Return the rate limiter's server."""
        return f"redis://{HOST}:{self.ports.of('redis')}/0" if "redis" in self.names else None

    @property
    def otlp_endpoint(self) -> str | None:
        """Return the collector of spans."""
        return self.ports.url("collector") if "collector" in self.names else None

    @property
    def dns_server(self) -> str | None:
        """Return the name server that proofs of domains are asked from."""
        return f"{HOST}:{self.ports.of('dns')}" if "dns" in self.names else None

    @property
    def aws_endpoint(self) -> str | None:
        """Return the AWS stand-in."""
        return self.ports.url("moto") if "moto" in self.names else None

    @property
    def customers(self) -> dict[str, str]:
        """Return the stand-ins for customers' accounts in other clouds: `google` and `azure`."""
        names = ("google", "azure") if "customers" in self.names else ()
        return {name: self.ports.url("customers", name) for name in names}

    @property
    def model_endpoint(self) -> str | None:
        """Return the language model stub, when it was asked for."""
        return f"{self.ports.url('model')}/v1" if "model" in self.names else None

    @property
    def links_url(self) -> str | None:
        """Return where links are cut and opened, when there are links."""
        return self.ports.url("links", "control") if "links" in self.names else None

    def client_secrets(self, own: str) -> str:
        """Return the sign-in providers' client secrets as the suite's secret holds them.

        Args:
            own: the emulator's provider's.
        """
        if not self.more_providers:
            return own
        return json.dumps({_OWN: own, **{str(item["id"]): item["client_secret"] for item in self.more_providers}})

    @property
    def _egress_bypass(self) -> str:
        """Return the endpoints on this machine that may be called: the identity provider's metadata, the model stub, clouds."""
        addresses = [
            self.gateway_url,
            *([self.model_endpoint] if self.model_endpoint else []),
            *self.customers.values(),
        ]
        return ",".join(urlsplit(address).netloc for address in addresses)

    def _providers(self) -> list[dict[str, object]]:
        """Return the providers to sign in with; the first is ours, and speaks for the seeded people's domains."""
        ours: dict[str, object] = {
            "id": _OWN,
            "name": "Local identity provider",
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "trusted_domains": sorted({person.email.partition("@")[2] for person in PEOPLE}),
        }
        more = [
            {name: value for name, value in item.items() if name != "client_secret"} for item in self.more_providers
        ]
        return [ours, *more]

    def _through_links(self, found: Mapping[str, str | None]) -> dict[str, str]:
        """Return the addresses of one function's process that lead through links."""
        linked = {}
        for variable, name in _VARIABLES.items():
            process, purpose = LINKED[name]
            address = found.get(variable)
            if address is not None and process in self.names:
                target, link = self.ports.of(process, purpose), self.ports.of("links", name)
                linked[variable] = address.replace(f"{HOST}:{target}", f"{HOST}:{link}")
        return linked

    def environment(self, entry_point: EntryPoint) -> dict[str, str]:
        """Return the variables of one function's process (`shared.settings` reads them)."""
        found: dict[str, str | None] = {
            "PYTHONPATH": str(self.root),
            "PYTHONUNBUFFERED": "1",
            "FUNCTION_SIGNATURE_TYPE": "http",
            "THREADS": str(entry_point.concurrency),
            "CLOUD_RUN_TIMEOUT_SECONDS": str(entry_point.timeout_seconds),
            "DW_ENV": "emulator",
            "DW_FUNCTION": entry_point.function,
            "DW_ENTRY_POINT": entry_point.name,
            "DW_PROJECT": PROJECT,
            "DW_REGION": REGION,
            "DW_PUBLIC_URL": self.gateway_url,
            "DW_JWKS_URL": f"{self.gateway_url}/.well-known/jwks.json",
            "DW_OIDC_PROVIDERS": json.dumps(self._providers()),
            "DW_EVENTS_SENDER": SENDER,
            "DW_EGRESS_BYPASS": self._egress_bypass,
            "DW_DNS_SERVER": self.dns_server,
            "DW_SECRET_SCANNING_KEYS_URL": "",  # nobody reports leaks to a laptop
            "DW_REDIS_URL": self.redis_url,
            "DW_REDIS_DEADLINE_MS": "2000",  # a busy laptop is no outage
            "DW_RATE_SCALE": "1000",  # everybody on a laptop has one address
            "DW_AWS_ENDPOINT": self.aws_endpoint,
            "DW_GOOGLE_ENDPOINT": self.customers.get("google"),
            "DW_AZURE_ENDPOINT": self.customers.get("azure"),
            "DW_SETTLING_SECONDS": "1",  # the stand-ins know of a change at once
            "DW_OTLP_ENDPOINT": self.otlp_endpoint,
        }
        if self.aws_endpoint is not None:
            # the process's own identity, with which it assumes customers' roles; and little patience with a local server
            found |= {"AWS_ACCESS_KEY_ID": "driftwise", "AWS_SECRET_ACCESS_KEY": "driftwise", "DW_AWS_ATTEMPTS": "3"}
        if (model := self.model_endpoint) is not None and entry_point.function == "analyze":
            found |= {"DW_LLM_PROVIDER": "openai_compatible", "DW_LLM_MODEL": MODEL, "DW_LLM_ENDPOINT": model}
        if entry_point.name in self.names:
            found["PORT"] = str(self.ports.of(entry_point.name))
            found["DW_EVENTS_AUDIENCE"] = self.ports.url(entry_point.name)
        if google := self.google:
            found |= dict.fromkeys(("DW_KMS_ENDPOINT", "DW_SECRETS_ENDPOINT", "DW_PUBSUB_ENDPOINT"), google["grpc"])
            found["DW_STORAGE_ENDPOINT"] = google["http"]
            found["DW_EVENTS_ISSUER"] = google["http"]
            found["DW_EVENTS_JWKS_URL"] = f"{google['http']}/oauth2/v3/certs"
        roles = self.suite.functions[entry_point.function].database
        if roles is not None:
            found["DW_DATABASE_URL"] = self.databases.get(roles.login)
        if "links" in self.names:
            found |= self._through_links(found)
        return {name: value for name, value in found.items() if value is not None}
