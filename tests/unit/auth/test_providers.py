"""The setting that names the sign-in providers, and the secret that holds their client secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.auth.errors import ProviderAway, ProviderUnknown
from functions.auth.providers import Providers, client_secret, read_providers
from shared.ports.secret_store import Secret
from shared.settings import Settings
from shared.testing.clock import FakeClock

ONE: dict[str, Any] = {"id": "one", "issuer": "https://one.example", "client_id": "c1"}
TWO: dict[str, Any] = {"id": "two", "name": "Two", "issuer": "https://two.example", "client_id": "c2"}


def settings(*providers: Any, **changes: str) -> Settings:
    return Settings(env="emulator", **{"oidc_providers": json.dumps(providers), **changes})


def test_the_providers_keep_their_order_and_the_first_is_the_default() -> None:
    providers = Providers.of(settings(TWO, ONE), FakeClock())
    assert [item.id for item in providers] == ["two", "one"]
    assert providers.find(None)[0].id == "two"
    assert providers.find("one")[0].issuer == "https://one.example"
    for unknown in ("three", "", "ONE"):
        with pytest.raises(ProviderUnknown):
            providers.find(unknown)


def test_one_provider_needs_no_list() -> None:
    only = Settings(env="emulator", oidc_issuer="https://id.example", oidc_client_id="c")
    assert [(item.id, item.issuer, item.client_id) for item in read_providers(only)] == [
        ("default", "https://id.example", "c")
    ]
    listed = Settings(
        env="emulator", oidc_issuer="https://id.example", oidc_client_id="c", oidc_providers=json.dumps([ONE])
    )
    assert [item.id for item in read_providers(listed)] == ["one"], "the list counts where both are set"


def test_without_a_provider_nobody_signs_in_and_nothing_breaks() -> None:
    providers = Providers.of(Settings(env="emulator"), FakeClock())
    assert list(providers) == []
    with pytest.raises(ProviderUnknown):
        providers.find(None)
    assert providers.logout_url("https://one.example", "https://us.example/") is None


BAD: dict[str, str] = {
    "no JSON": "one",
    "an object": json.dumps(ONE),
    "a list of words": '["one"]',
    "a member too many": json.dumps([{**ONE, "trusted_domain": ["x.example"]}]),
    "no issuer": json.dumps([{"id": "one", "client_id": "c"}]),
    "an empty client id": json.dumps([{**ONE, "client_id": ""}]),
    "an id with capitals": json.dumps([{**ONE, "id": "One"}]),
    "an id with a slash": json.dumps([{**ONE, "id": "a/b"}]),
    "an empty id": json.dumps([{**ONE, "id": ""}]),
    "an id of 65 letters": json.dumps([{**ONE, "id": "a" * 65}]),
    "one id twice": json.dumps([ONE, {**TWO, "id": "one"}]),
    "a trusted domain with capitals": json.dumps([{**ONE, "trusted_domains": ["Acme.example"]}]),
    "an allowed domain with capitals": json.dumps([{**ONE, "allowed_domains": ["acme.EXAMPLE"]}]),
    "domains as a word": json.dumps([{**ONE, "trusted_domains": "acme.example"}]),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_setting_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Providers.of(Settings(env="emulator", oidc_providers=text), FakeClock())


@pytest.mark.parametrize(
    "stored, found",
    [
        (b"plain", b"plain"),
        (b"plain\n", b"plain"),
        (b'{"one": "a", "two": "b"}', b"b"),
        (b' {"two": "b\\u00e9"}\n', "b\u00e9".encode()),
    ],
)
def test_a_client_secret_is_plain_or_one_of_many(stored: bytes, found: bytes) -> None:
    assert client_secret(Secret(stored), "two").reveal() == found


@pytest.mark.parametrize(
    "stored", [b'{"one": "a"}', b"{}", b'{"two": ""}', b'{"two": null}', b'{"two": ["b"]}', b'{"two": "b"', b"{" * 9000]
)
def test_a_client_secret_that_is_not_there_is_a_503_that_shows_nothing(stored: bytes) -> None:
    with pytest.raises(ProviderAway) as caught:
        client_secret(Secret(stored), "two")
    assert caught.value.retry_after_seconds
    assert caught.value.__cause__ is None
    assert "one" not in str(caught.value)


def test_a_sign_out_page_that_cannot_be_used_is_not_offered() -> None:
    """The provider is never asked: nobody listens there."""
    silent = {**ONE, "issuer": "http://127.0.0.1:9", "signs_out": False}
    assert Providers.of(settings(silent), FakeClock()).logout_url("http://127.0.0.1:9", "https://us.example/") is None
