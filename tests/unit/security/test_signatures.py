"""Webhook signatures: every provider's scheme lets in what the provider signed, and nothing else."""

from __future__ import annotations

import base64
import typing
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from shared.ports.clock import SystemClock, SystemEntropy
from shared.ports.secret_store import Secret
from shared.security import signatures
from shared.security.errors import SignatureRefused
from shared.security.signatures import PROVIDERS, WINDOW_SECONDS, Provider, make_secret, sign, standard_key, verify
from shared.testing.clock import FakeClock, FixedEntropy
from tests.support.webhook_senders import SECRETS, VENDOR, WINDOWED, Sender, Sent, sender

NOW = 1_790_000_000
BODY = b'{"type":"run.planned","n":1}'
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
SIGNATURE_HEADERS = {
    "atlantis": "x-atlantis-signature",
    "github": "x-hub-signature-256",
    "gitlab": "webhook-signature",
    "terraform_cloud": "x-tfe-notification-signature",
    "stripe": "stripe-signature",
    "slack": "x-slack-signature",
    "standard": "webhook-signature",
}

each_provider = pytest.mark.parametrize("provider", sorted(PROVIDERS))
each_windowed = pytest.mark.parametrize("provider", WINDOWED)


def clock_at(seconds: float) -> FakeClock:
    return FakeClock(datetime.fromtimestamp(seconds, UTC))


def check(sent: Sent, *secrets: str, at: float = NOW) -> int:
    live = [Secret(secret.encode()) for secret in secrets]
    return verify(cast("Provider", sent.provider), sent.headers, sent.body, live, clock_at(at))


def refuse(sent: Sent, *secrets: str, at: float = NOW) -> None:
    with pytest.raises(SignatureRefused):
        check(sent, *(secrets or [SECRETS[sent.provider]]), at=at)


def good(provider: str, body: bytes = BODY, at: int = NOW) -> Sent:
    return sender(provider).send(body, at, "msg_1")


# --- What the vendors print --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", sorted(VENDOR["signed"]))
def test_the_vendors_own_example_is_let_in(provider: str) -> None:
    example = VENDOR["signed"][provider]
    sent = Sent(provider, example["headers"], example["body"].encode())
    assert check(sent, example["secret"], at=example["at"]) == 0
    assert check(sent, OTHER, example["secret"], at=example["at"]) == 1
    refuse(sent, OTHER, at=example["at"])
    refuse(Sent(provider, example["headers"], sent.body + b" "), example["secret"], at=example["at"])


def test_githubs_example_is_let_in_as_atlantis_second_form() -> None:
    example = VENDOR["signed"]["github"]
    assert check(Sent("atlantis", example["headers"], example["body"].encode()), example["secret"]) == 0


def test_stripes_example_header_is_read_and_its_test_scheme_is_not() -> None:
    """Stripe prints no secret, so ours signs in the place of its v1; v0 stays as Stripe prints it."""
    at = 1492774577
    mac = Sender("stripe", SECRETS["stripe"]).macs(f"{at}.".encode() + BODY)[0]
    printed = VENDOR["headers"]["stripe"]
    with_ours = printed.replace(printed.split(",")[1], f"v1={mac}")
    assert check(Sent("stripe", {"stripe-signature": with_ours}, BODY), SECRETS["stripe"], at=at) == 0
    refuse(Sent("stripe", {"stripe-signature": printed}, BODY), at=at)
    downgraded = with_ours.replace("v1=", "v9=").replace(
        "v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39", f"v0={mac}"
    )
    refuse(Sent("stripe", {"stripe-signature": downgraded}, BODY), at=at)


def test_standard_webhooks_list_of_signatures_is_searched_to_its_end() -> None:
    example = VENDOR["signed"]["standard"]
    listed = [
        *VENDOR["headers"]["standard_others"],
        example["headers"]["webhook-signature"],
        VENDOR["headers"]["standard_others"][0],
    ]
    for order in (listed, list(reversed(listed))):
        sent = Sent("standard", example["headers"] | {"webhook-signature": " ".join(order)}, example["body"].encode())
        assert check(sent, example["secret"], at=example["at"]) == 0
    only_others = " ".join([*VENDOR["headers"]["standard_others"], *VENDOR["headers"]["standard"].split(" ")])
    refuse(
        Sent("standard", example["headers"] | {"webhook-signature": only_others}, example["body"].encode()),
        example["secret"],
        at=example["at"],
    )


def test_gitlabs_signing_token_is_a_standard_secret_of_32_bytes() -> None:
    assert standard_key(VENDOR["gitlab_signing_token"].encode()) == b"test" * 8


# --- Every scheme ------------------------------------------------------------------------------------------------------


def test_every_provider_has_a_scheme() -> None:
    assert frozenset(typing.get_args(Provider)) == PROVIDERS == SIGNATURE_HEADERS.keys() == SECRETS.keys()


@each_provider
def test_what_the_provider_signed_is_let_in_as_often_as_it_comes(provider: str) -> None:
    """A signature proves a sender, not that it is the first time: that is for the deliveries' table to say."""
    sent = good(provider)
    assert [check(sent, SECRETS[provider]) for _ in range(2)] == [0, 0]


@each_provider
def test_deliveries_are_let_in_in_any_order(provider: str) -> None:
    made = [sender(provider).send(b'{"n":%d}' % number, NOW - number) for number in range(3)]
    assert [check(sent, SECRETS[provider]) for sent in reversed(made)] == [0, 0, 0]


@each_provider
def test_any_body_is_signed_as_its_bytes(provider: str) -> None:
    for body in (b"", b"\x00\xff\xfe", "größe".encode(), b"." * 1000, b" {}\r\n"):
        assert check(good(provider, body), SECRETS[provider]) == 0


@each_provider
@pytest.mark.parametrize("body", [BODY + b"\n", BODY[:-1], BODY.replace(b"1", b"2"), b"", b" " + BODY])
def test_a_changed_body_is_refused(provider: str, body: bytes) -> None:
    refuse(Sent(provider, good(provider).headers, body))


@each_provider
def test_a_changed_signature_is_refused(provider: str) -> None:
    name = SIGNATURE_HEADERS[provider]
    value = good(provider).headers[name]
    flipped = value[:-8] + ("0" if value[-8] != "0" else "1") + value[-7:]
    for changed in (
        flipped, value[:-1], value + "0", value.upper(), f" {value}", f"{value} ", f"{value},",
        f"{value},{value}", value.replace("=", "= ", 1), f"x{value}", "", " ", "x", "sha256=", "v1,", "t=1,v1=", "\x00", "é" * 64,
    ):  # fmt: skip
        if changed != value:
            refuse(Sent(provider, good(provider).headers | {name: changed}, BODY))


@each_provider
def test_a_missing_header_is_refused(provider: str) -> None:
    needed = {
        "gitlab": ("webhook-id", "webhook-timestamp", "webhook-signature"),
        "standard": ("webhook-id", "webhook-timestamp", "webhook-signature"),
        "slack": ("x-slack-request-timestamp", "x-slack-signature"),
    }.get(provider, (SIGNATURE_HEADERS[provider],))
    for name in needed:
        headers = {key: value for key, value in good(provider).headers.items() if key != name}
        refuse(Sent(provider, headers, BODY))
        refuse(Sent(provider, headers | {name: ""}, BODY))
    refuse(Sent(provider, {}, BODY))


@each_provider
def test_another_secret_is_refused(provider: str) -> None:
    refuse(good(provider), OTHER)
    refuse(good(provider), SECRETS[provider] + "A")
    refuse(good(provider), SECRETS[provider].swapcase())


@each_provider
def test_an_empty_secret_lets_nobody_in(provider: str) -> None:
    """Neither when nobody set one, nor for a sender that signs with nothing."""
    for secret in ("", "whsec_"):
        unsigned = Sender(provider, secret)
        try:
            sent = unsigned.send(BODY, NOW, "msg_1")
        except ValueError:
            continue
        refuse(sent, "")
        refuse(sent, "", SECRETS[provider])
    refuse(good(provider), "")
    with pytest.raises(SignatureRefused):
        verify(cast("Provider", provider), good(provider).headers, BODY, [], clock_at(NOW))


def test_an_empty_secret_is_refused_even_where_its_signature_is_right() -> None:
    for provider in ("atlantis", "github", "terraform_cloud", "stripe", "slack"):
        refuse(Sender(provider, "").send(BODY, NOW), "")
    refuse(Sent("gitlab", {"x-gitlab-token": ""}, BODY), "")


@each_provider
def test_both_secrets_are_live_during_a_rotation_and_the_answer_says_which_was_used(provider: str) -> None:
    new, old = OTHER, SECRETS[provider]
    assert check(Sender(provider, new).send(BODY, NOW), new, old) == 0
    assert check(Sender(provider, old).send(BODY, NOW), new, old) == 1
    assert check(Sender(provider, new).send(BODY, NOW), new) == 0
    refuse(Sender(provider, old).send(BODY, NOW), new)


@pytest.mark.parametrize("provider", ["stripe", "standard", "gitlab"])
def test_a_sender_that_signs_with_two_secrets_is_let_in_by_either(provider: str) -> None:
    both = Sender(provider, OTHER, [SECRETS[provider]]).send(BODY, NOW)
    for live in ([OTHER], [SECRETS[provider]], [SECRETS[provider], OTHER]):
        assert check(both, *live) == 0
    refuse(both, "whsec_" + base64.b64encode(b"n" * 32).decode())


@each_windowed
def test_a_signature_holds_five_minutes_by_a_clock_that_is_behind_or_ahead(provider: str) -> None:
    for skew in (0, WINDOW_SECONDS - 1, WINDOW_SECONDS, 1 - WINDOW_SECONDS, -WINDOW_SECONDS):
        assert check(good(provider), SECRETS[provider], at=NOW + skew) == 0
    for skew in (
        WINDOW_SECONDS + 0.5,
        WINDOW_SECONDS + 1,
        -WINDOW_SECONDS - 0.5,
        -WINDOW_SECONDS - 1,
        86_400,
        -86_400,
        -NOW,
    ):
        refuse(good(provider), at=NOW + skew)


@each_windowed
def test_a_time_that_was_not_signed_is_refused(provider: str) -> None:
    old = good(provider, at=NOW - 3600)
    if provider == "stripe":
        refuse(old.changed(stripe_signature=old.headers["stripe-signature"].replace(str(NOW - 3600), str(NOW))))
    elif provider == "slack":
        refuse(old.changed(x_slack_request_timestamp=str(NOW)))
    else:
        refuse(old.changed(webhook_timestamp=str(NOW)))


@each_windowed
@pytest.mark.parametrize(
    "text", ["-1", "+1", "1e9", "1_790_000_000", " 1790000000", "1790000000.0", "١٧٩٠٠٠٠٠٠٠", "0x1", "9" * 13, "NaN"]
)
def test_a_time_that_is_no_plain_number_is_refused_although_it_is_signed(provider: str, text: str) -> None:
    refuse(sender(provider).send(BODY, cast("int", text), "msg_1"))


@each_provider
def test_signatures_of_other_providers_open_nothing(provider: str) -> None:
    for other in sorted(PROVIDERS - {provider}):
        shared = SECRETS["standard"]
        sent = Sender(other, shared).send(BODY, NOW, "msg_1")
        if {provider, other} == {"gitlab", "standard"} or (provider, other) == ("atlantis", "github"):
            continue  # one scheme
        refuse(Sent(provider, sent.headers, BODY), shared)


# --- What is particular to one provider --------------------------------------------------------------------------------


def test_github_by_sha1_is_refused() -> None:
    sent = good("github")
    refuse(sent.changed(x_hub_signature_256=None))
    refuse(sent.changed(x_hub_signature_256=sent.headers["x-hub-signature"]))


def test_atlantis_own_header_comes_with_and_without_the_name_of_the_hash() -> None:
    mac = Sender("atlantis", SECRETS["atlantis"]).macs(BODY)[0]
    for headers in (
        {"x-atlantis-signature": mac},
        {"x-atlantis-signature": f"sha256={mac}"},
        {"x-hub-signature-256": f"sha256={mac}"},
    ):
        assert check(Sent("atlantis", headers, BODY), SECRETS["atlantis"]) == 0
    refuse(Sent("atlantis", {"x-hub-signature-256": mac}, BODY))
    refuse(Sent("atlantis", {"x-hub-signature": f"sha1={mac}"}, BODY))
    refuse(Sent("atlantis", {"x-atlantis-signature": "0" * 64, "x-hub-signature-256": f"sha256={mac}"}, BODY))


def test_gitlabs_secret_token_is_compared_whole() -> None:
    token = "a-token-of-twenty-ch"
    sent = Sender("gitlab", token).send(BODY, NOW)
    assert check(sent, token) == 0
    assert check(sent, OTHER, token) == 1
    for changed in (token[:-1], token + "x", token.upper(), " " + token, ""):
        refuse(sent.changed(x_gitlab_token=changed), token)
    refuse(sent.changed(x_gitlab_token=None), token)


def test_gitlabs_signature_counts_when_there_is_a_signing_token_whatever_the_secret_token_says() -> None:
    """GitLab sends both while a customer moves over; a signature that is wrong is not made good by a token that is right."""
    token, signing = "a-token-of-twenty-ch", SECRETS["gitlab"]
    both = good("gitlab").changed(x_gitlab_token=token)
    assert check(both, signing, token) == 0
    assert check(both, token) == 0, "before the signing token is known here, the secret token is all there is"
    refuse(Sent("gitlab", both.headers, BODY + b" "), signing, token)
    refuse(both, signing, token, at=NOW + 3600)


def test_gitlab_with_our_secret_as_its_secret_token_is_let_in() -> None:
    assert check(Sent("gitlab", {"x-gitlab-token": SECRETS["gitlab"]}, BODY), SECRETS["gitlab"]) == 0


def test_stripe_with_two_times_none_or_no_signature_is_refused() -> None:
    mac = Sender("stripe", SECRETS["stripe"]).macs(f"{NOW}.".encode() + BODY)[0]
    for header in (f"t={NOW},t={NOW},v1={mac}", f"v1={mac}", f"t={NOW}", f"t={NOW},v1={mac},", f"t={NOW},v1={mac},v1=", f"t={NOW},v0={mac}", f"t={NOW};v1={mac}", f"t={NOW}, v1={mac}"):  # fmt: skip
        refuse(Sent("stripe", {"stripe-signature": header}, BODY))
    assert check(Sent("stripe", {"stripe-signature": f"v1={mac},t={NOW}"}, BODY), SECRETS["stripe"]) == 0


def test_a_header_with_more_signatures_than_anyone_sends_is_refused() -> None:
    sent = good("standard")
    value = sent.headers["webhook-signature"]
    assert check(sent.changed(webhook_signature=" ".join([value] * 20)), SECRETS["standard"]) == 0
    refuse(sent.changed(webhook_signature=" ".join([value] * 21)))


@pytest.mark.parametrize("message_id", ["msg.1", "", "msg 1", "msg\n", "é", "m" * 201])
def test_an_id_that_could_be_read_in_two_ways_is_refused_although_it_is_signed(message_id: str) -> None:
    sent = sender("standard").send(BODY, NOW, "msg_1")
    moved = Sender("standard", SECRETS["standard"]).send(BODY, NOW, message_id or " ")
    refuse(moved.changed(webhook_id=message_id))
    refuse(sent.changed(webhook_id=message_id))


def test_the_place_where_id_time_and_body_meet_cannot_be_moved() -> None:
    body = b"5.payload"
    sent = sender("standard").send(body, NOW, "msg_1")
    refuse(Sent("standard", sent.headers | {"webhook-id": f"msg_1.{NOW}", "webhook-timestamp": "5"}, b"payload"))


@pytest.mark.parametrize("secret", ["whsec_" + base64.b64encode(b"x" * size).decode() for size in (0, 16, 23, 65)] + ["whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "WHSEC_" + base64.b64encode(b"x" * 32).decode()])  # fmt: skip
def test_a_standard_secret_that_is_short_long_or_no_base64_is_no_key(secret: str) -> None:
    assert standard_key(secret.encode()) is None
    refuse(good("standard"), secret)


# --- Constant time -----------------------------------------------------------------------------------------------------


@each_provider
def test_every_candidate_is_compared_with_every_secret_whichever_is_right(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    real = signatures.hmac.compare_digest

    def counted(left: bytes, right: bytes) -> bool:
        compared.append((len(left), len(right)))
        return bool(real(left, right))

    monkeypatch.setattr(signatures.hmac, "compare_digest", counted)
    candidates = 2 if provider in {"stripe", "standard", "gitlab"} else 1
    others = [OTHER] if candidates == 2 else []
    sent = Sender(provider, SECRETS[provider], others).send(BODY, NOW)
    third = "whsec_" + base64.b64encode(b"3" * 32).decode()
    for live in ([SECRETS[provider], OTHER], [OTHER, SECRETS[provider]], [third, third], ["", third]):
        compared.clear()
        try:
            check(sent, *live)
        except SignatureRefused:
            assert SECRETS[provider] not in live
        assert len(compared) == 2 * candidates
        assert all(left == right for left, right in compared[candidates:]), "unequal lengths end a comparison early"


# --- Nothing but a refusal ---------------------------------------------------------------------------------------------

_NAMES = sorted(
    {*SIGNATURE_HEADERS.values(), "webhook-id", "webhook-timestamp", "x-slack-request-timestamp", "x-gitlab-token"}
)
_PIECES = st.sampled_from(
    ["sha256=", "v1,", "v0=", "v1=", "t=", ",", " ", "=", str(NOW), "a" * 64, "A" * 43 + "=", "whsec_", "\x00", "é"]
)
# a server hands headers on as Latin-1
_VALUES = st.one_of(
    st.binary(max_size=80).map(lambda value: value.decode("latin-1")), st.lists(_PIECES, max_size=8).map("".join)
)


@settings(deadline=None)
@given(
    provider=st.sampled_from(sorted(PROVIDERS)),
    headers=st.dictionaries(st.sampled_from(_NAMES), _VALUES),
    body=st.binary(max_size=200),
    secrets=st.lists(st.binary(max_size=80), max_size=2),
)
def test_whatever_comes_is_refused_and_never_breaks(
    provider: Provider, headers: dict[str, str], body: bytes, secrets: list[bytes]
) -> None:
    live = [Secret(secret) for secret in secrets if secret.decode("latin-1") not in headers.values()]
    with pytest.raises(SignatureRefused):
        verify(provider, headers, body, live, clock_at(NOW))


@settings(deadline=None)
@given(provider=st.sampled_from(sorted(PROVIDERS)), body=st.binary(max_size=300), data=st.data())
def test_one_changed_byte_anywhere_is_refused(provider: str, body: bytes, data: st.DataObject) -> None:
    sent = good(provider, body)
    assert check(sent, SECRETS[provider]) == 0
    place = data.draw(st.integers(0, len(body)))
    changed = body[:place] + bytes([data.draw(st.integers(0, 255))]) + body[place:]
    refuse(Sent(provider, sent.headers, changed))


# --- Outgoing ----------------------------------------------------------------------------------------------------------


def two_secrets() -> Sequence[Secret]:
    entropy = SystemEntropy()
    return [make_secret(entropy), make_secret(entropy)]


@pytest.mark.parametrize("library", [StandardWebhook, SvixWebhook])
def test_what_we_sign_with_two_secrets_holds_in_other_peoples_libraries_with_either(library: Any) -> None:
    secrets = two_secrets()
    for body in (b"{}", '{"größe": "✓"}'.encode(), b'{"a":1}\n'):
        headers = sign(secrets, "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", datetime.now(UTC), body)
        assert len(headers["webhook-signature"].split(" ")) == 2
        for secret in secrets:
            library(secret.reveal().decode()).verify(body, headers)
        with pytest.raises(Exception, match="No matching signature"):
            library(make_secret(SystemEntropy()).reveal().decode()).verify(body, headers)
        with pytest.raises(Exception, match="No matching signature"):
            library(secrets[0].reveal().decode()).verify(body + b" ", headers)


@pytest.mark.parametrize("library", [StandardWebhook, SvixWebhook])
def test_what_other_peoples_libraries_sign_is_let_in(library: Any) -> None:
    secret = make_secret(SystemEntropy())
    at = datetime.now(UTC)
    signature = library(secret.reveal().decode()).sign("msg_1", at, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    assert verify("standard", headers, BODY, [secret], SystemClock()) == 0


def test_our_signature_is_the_vendors_for_the_vendors_example() -> None:
    example = VENDOR["signed"]["standard"]
    at = datetime.fromtimestamp(example["at"], UTC)
    signed = sign([Secret(example["secret"].encode())], example["headers"]["webhook-id"], at, example["body"].encode())
    assert signed == example["headers"]


def test_our_own_check_takes_our_own_signature_with_either_secret() -> None:
    secrets = two_secrets()
    headers = sign(secrets, "evt_1", datetime.fromtimestamp(NOW + 0.9, UTC), BODY)
    assert headers["webhook-timestamp"] == str(NOW)
    for secret in secrets:
        assert verify("standard", headers, BODY, [secret], clock_at(NOW)) == 0


@pytest.mark.parametrize("secrets", [[], [b""], [b"whsec_"], [b"whsec_QQ=="], [b"plain text"]])
def test_nothing_is_signed_without_a_real_secret(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        sign([Secret(secret) for secret in secrets], "evt_1", datetime.now(UTC), BODY)
    with pytest.raises(ValueError, match="whsec_"):
        sign(
            [*two_secrets(), *(Secret(secret) for secret in secrets)][:3] if secrets else [],
            "evt_1",
            datetime.now(UTC),
            BODY,
        )


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\n", "é"])
def test_no_id_is_signed_that_a_receiver_could_read_in_two_ways(message_id: str) -> None:
    with pytest.raises(ValueError, match="full stop"):
        sign(two_secrets(), message_id, datetime.now(UTC), BODY)


def test_a_secret_is_random_and_of_the_published_form() -> None:
    made = {
        make_secret(FixedEntropy()).reveal(),
        make_secret(SystemEntropy()).reveal(),
        make_secret(SystemEntropy()).reveal(),
    }
    assert len(made) == 3
    assert all(len(standard_key(secret) or b"") == 32 for secret in made)
