"""Settings and the boot guard."""

from __future__ import annotations

from dataclasses import fields

import pytest

from shared.http.app import App
from shared.security.boot import UnsafeStart, guard
from shared.settings import SettingMissing, Settings, load_settings

SAFE = {
    "DW_ENV": "production", "DW_PUBLIC_URL": "https://driftwise.example", "DW_OIDC_ISSUER": "https://id.example",
    "DW_REDIS_URL": "rediss://10.0.0.2:6378",
}  # fmt: skip

UNSAFE = {
    "a plaintext database": {"DW_DATABASE_URL": "postgresql://x@y/z"},
    "a password for the database": {"DW_DATABASE_PASSWORD_SECRET": "database-password"},
    "a stand-in for Google's hosts": {"DW_GOOGLE_ENDPOINT": "http://127.0.0.1:1"},
    "a stand-in for Azure's hosts": {"DW_AZURE_ENDPOINT": "http://127.0.0.1:1"},
    "an emulated key vault": {"DW_KMS_ENDPOINT": "127.0.0.1:1"},
    "an emulated secret store": {"DW_SECRETS_ENDPOINT": "127.0.0.1:1"},
    "an emulated queue": {"DW_PUBSUB_ENDPOINT": "127.0.0.1:1"},
    "an emulated AWS": {"DW_AWS_ENDPOINT": "http://127.0.0.1:1"},
    "outbound calls to this machine": {"DW_EGRESS_BYPASS": "127.0.0.1:9000"},
    "debug": {"DW_DEBUG": "true"},
    "debug, written otherwise": {"DW_DEBUG": "YES"},
    "a plaintext public address": {"DW_PUBLIC_URL": "http://driftwise.example"},
    "no public address": {"DW_PUBLIC_URL": ""},
    "plaintext token keys": {"DW_JWKS_URL": "http://driftwise.example/.well-known/jwks.json"},
    "a plaintext sign-in provider": {"DW_OIDC_ISSUER": "http://id.example"},
    "a plaintext issuer of events": {"DW_EVENTS_ISSUER": "http://accounts.google.com"},
    "plaintext keys of events": {"DW_EVENTS_JWKS_URL": "http://www.googleapis.com/oauth2/v3/certs"},
    "no rate limits": {"DW_REDIS_URL": ""},
    "a plaintext rate limiter": {"DW_REDIS_URL": "redis://10.0.0.2:6379"},
    "a plaintext language model": {"DW_LLM_ENDPOINT": "http://models.example/v1"},
    "a plaintext collector": {"DW_OTLP_ENDPOINT": "http://collector.example:4318"},
    "a token key that signs before it is published": {"DW_TOKEN_ACTIVATION_SECONDS": "899"},
    "rate limits that limit nothing": {"DW_RATE_SCALE": "1000"},
    "an environment nobody knows": {"DW_ENV": "staging"},
    "an environment with a typing error": {"DW_ENV": "Emulator"},
    "an empty environment": {"DW_ENV": ""},
}


def test_production_with_every_safety_on_starts() -> None:
    guard(load_settings(SAFE))


@pytest.mark.parametrize("variables", UNSAFE.values(), ids=UNSAFE)
def test_production_with_a_safety_off_does_not_start(variables: dict[str, str]) -> None:
    settings = load_settings(SAFE | variables)
    assert settings.is_production
    with pytest.raises(UnsafeStart) as caught:
        App("x", lambda _: None, [], settings=settings)  # type: ignore[arg-type, return-value]
    assert next(iter(variables)) in str(caught.value), "the message does not name the setting"


def test_every_unsafe_setting_is_named_at_once() -> None:
    everything = {name: value for case in UNSAFE.values() for name, value in case.items()}
    with pytest.raises(UnsafeStart) as caught:
        guard(load_settings(everything))
    assert [name for name in everything if name not in str(caught.value)] == []
    assert "postgresql://" not in str(caught.value), "the message repeats a setting's value"


def test_without_an_environment_it_counts_as_production() -> None:
    assert load_settings({}).is_production
    with pytest.raises(UnsafeStart):
        guard(load_settings({}))


def test_the_emulator_may_do_without() -> None:
    variables = {name: value for case in UNSAFE.values() for name, value in case.items()}
    guard(load_settings(variables | {"DW_ENV": "emulator"}))


def test_every_setting_is_read_from_its_variable() -> None:
    given = {
        f"DW_{field.name.upper()}": "true"
        if isinstance(field.default, bool)
        else "7"
        if isinstance(field.default, int)
        else field.name
        for field in fields(Settings)
    }
    found = load_settings(given)
    for field in fields(Settings):
        wanted = True if isinstance(field.default, bool) else 7 if isinstance(field.default, int) else field.name
        assert getattr(found, field.name) == wanted
    assert load_settings({"ENV": "emulator", "dw_env": "emulator"}) == Settings()


@pytest.mark.parametrize(
    "name, value",
    [
        ("DW_DEBUG", "on"),
        ("DW_DEBUG", "of"),
        ("DW_POOL_SIZE", "five"),
        ("DW_POOL_SIZE", "0"),
        ("DW_POOL_SIZE", "-1"),
        ("DW_POOL_SIZE", ""),
    ],
)
def test_a_value_that_cannot_be_read_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        load_settings({name: value})


def test_a_missing_setting_names_its_variable() -> None:
    with pytest.raises(SettingMissing) as caught:
        Settings().require("oidc_issuer")
    assert caught.value.facts == {"setting": "DW_OIDC_ISSUER"}
