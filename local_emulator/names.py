"""Names that several parts of the emulator must agree on."""

from __future__ import annotations

PROJECT = "driftwise-local"
REGION = "europe-west1"
SENDER = f"events@{PROJECT}.iam.gserviceaccount.com"  # service account of pushes and schedules

CLIENT_ID = "driftwise"
CLIENT_SECRET = "oidc-client-secret"  # noqa: S105 (the secret's name)
CALLBACK_PATH = "/auth/callback"
IDENTITY_PROVIDER = "idp"
IDENTITY_PROVIDER_PREFIX = "/idp"
SAML_PREFIX = "/auth/saml/"  # service providers' entity ids begin so, behind the gateway's address
