"""Scrubbing: no secret survives, whatever stands around it, and ordinary text stays as it is."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.errors import AppError
from shared.http.problems import render_problem
from shared.security.redact import REDACTED, holds_secret, redact, redact_event, redact_text

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def run(size: int, alphabet: str = ALNUM, start: int = 7) -> str:
    """Return a text without a pattern in it, the same each time; built here so that no scanner takes it for a real one."""
    return "".join(alphabet[(start * number * number + 11 * number + start) % len(alphabet)] for number in range(size))


JWT = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "ES256"}, {"sub": "x" * 40})) + "." + run(86)  # fmt: skip
SECRETS = {
    "a key of ours": "dw2_" + run(48),
    "half a key of ours": "dw2_" + run(20),
    "a token": JWT,
    "a token without its signature": JWT.rpartition(".")[0],
    "the head of a token": JWT.partition(".")[0],
    "an AWS access key id": "AKIA" + run(16, ALNUM[:36]),
    "a temporary AWS access key id": "ASIA" + run(16, ALNUM[:36]),
    "a Google API key": "AIza" + run(35),
    "a Google access token": "ya29." + run(60),
    "a Google client secret": "GOCSPX-" + run(28),
    "a Google refresh token": "1//0" + run(60),
    "an Azure client secret": "abc8Q~" + run(34),
    "a GitHub token": "ghp_" + run(36),
    "a GitHub app token": "ghs_" + run(36),
    "a fine-grained GitHub token": "github_pat_" + run(82),
    "a GitLab token": "glpat-" + run(20),
    "a Slack token": "xoxb-" + run(12, "0123456789") + "-" + run(24),
    "a Slack app token": "xapp-1-" + run(40),
    "a Slack address": "hooks.slack.com/services/T" + run(8) + "/B" + run(8) + "/" + run(24),
    "a Stripe key": "sk_live_" + run(24),
    "a restricted Stripe key": "rk_test_" + run(24),
    "a webhook secret": "whsec_" + run(32),
    "a model key": "sk-ant-api03-" + run(80),
    "a Vault token": "hvs." + run(60),
    "a Terraform Cloud token": run(14) + ".atlasv1." + run(60),
    "a private key": f"-----BEGIN RSA PRIVATE KEY-----\n{run(64)}\n{run(64, start=5)}\n-----END RSA PRIVATE KEY-----",
    "a private key on one line": f"-----BEGIN PRIVATE KEY-----\\n{run(64)}\\n-----END PRIVATE KEY-----\\n",
    "half a private key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{run(64)}\n{run(30, start=3)}",
}
PLAIN = run(20) + "/+" + run(18)  # a secret that nothing marks but its place
PLACES = {
    "a setting": "aws_secret_access_key = {}",
    "a variable": "AWS_SECRET_ACCESS_KEY={}",
    "a quoted setting": 'client_secret="{}"',
    "a JSON member": '{{"secret_access_key": "{}", "more": 1}}',
    "a JSON member in a text": '{{\\"password\\": \\"{}\\"}}',
    "a Python dict": "{{'password': '{}'}}",
    "a query": "https://x.example/cb?state=1&access_token={}&x=1",
    "a shared access signature": "https://x.blob.core.windows.net/c/b?sv=2024&sig={}&se=2026",
    "a connection string": "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={};EndpointSuffix=x",
    "a header": "X-Api-Key: {}",
    "a bearer header": "Authorization: Bearer {}",
    "a basic header": "authorization: Basic {}",
    "a header in a dict": "{{'Authorization': 'Basic {}'}}",
    "a bearer credential": "sent Bearer {} twice",
    "a URL": "postgresql://keys_login:{}@10.0.0.3:5432/driftwise",
    "a URL without a user": "redis://:{}@10.0.0.3:6379/0",
}
PEOPLE = [
    "ada@example.com",
    "ada.l+x@mail.example.co.uk",
    "ADA_L@EXAMPLE.ORG",
    "jürgen@müller.example",
    "o'neil@example.com",
]
ORDINARY = [
    "",
    "request",
    "the token: expired",
    "a secret of the craft",
    "basic authentication is not offered",
    "bearer of good news",
    "Sign in or send a valid API key",
    "the password is missing",
    "compass=north; signpost: left; monkey=1",
    "see `errors` for each field",
    "set DW_OIDC_ISSUER",
    "/api/v2/orgs/{org_id}/api-keys/{key_id}",
    "https://driftwise.example:8443/auth/callback?state=x",
    "key:019b76da-a804-7244-a983-994462c219b0",
    "arn:aws:iam::123456789012:role/driftwise-read",
    "aws_instance.web[0]: security_groups sg-0a1b2c3d4e5f60718 -> (known after apply)",
    "2026-11-23T17:42:17.962434Z",
    "postgresql://10.0.0.3:5432/driftwise",
    "dw2_ marks a key",
    "ASIAPACIFIC",
    'password: null, "token": null',
    "projects/p/traces/db896875c2c1c5f0c5a1cb4bbb909b08",
    "sha256:" + "ab" * 32,
    "Zürich, 東京 🔑",
    'Traceback (most recent call last):\n  File "shared/http/app.py", line 102, in handle\n    raise ServiceAway("kms")',
    "decorator @property and a@b",
]


def leaks(secret: str, text: str, size: int = 12) -> bool:
    """Say whether a part of the secret that is worth something stands in the text."""
    body = secret[8:] if len(secret) > 24 else secret
    return any(body[start : start + size] in text for start in range(max(1, len(body) - size)))


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("frame", ["{}", "see {} there", '"{}"', "x={}", "({}),", "https://x.example/{}/y", "{}\n{}"])
def test_a_marked_secret_is_taken_out_wherever_it_stands(secret: str, frame: str) -> None:
    found = redact_text(frame.replace("{}", secret))
    assert not leaks(secret, found), found
    assert REDACTED in found


WORDLIKE = ("X-Api-Key", "sent Bearer")  # in front of what looks like a word, these are words too


@pytest.mark.parametrize(
    "place, secret",
    [
        (place, secret)
        for place in PLACES.values()
        for secret in (PLAIN, "x" * 30 + "9", "hunter2", "correct-horse", "1234567")
        if not place.startswith(WORDLIKE) or len(secret) > 20
    ],
)
def test_an_unmarked_secret_is_taken_out_where_its_place_tells(place: str, secret: str) -> None:
    if "@10." in place:
        secret = secret.replace("/", "%2F")
    found = redact_text(place.format(secret))
    assert secret not in found, found
    assert place.partition("{")[0][:8] in found, "what stands around it is gone too"


@pytest.mark.parametrize("person", PEOPLE)
def test_mail_addresses_are_taken_out_unless_they_are_the_readers_own(person: str) -> None:
    assert person not in redact_text(f"invited {person}, twice")
    assert "example" not in redact_text(f"<{person}>").lower()
    assert redact_text(f"invited {person}", has_people=True) == f"invited {person}"


def test_ids_stay_in_logs_and_go_from_what_leaves_a_browser() -> None:
    text = f"org {UUID(int=7)}, key:{UUID(int=2**127)}"
    assert redact_text(text) == text
    assert redact_text(text, has_ids=True) == f"org {REDACTED}, key:{REDACTED}"


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact_text(text) == text
    assert not holds_secret(text)


def _errors(base: type[AppError]) -> list[type[AppError]]:
    return [base, *(error for child in base.__subclasses__() for error in _errors(child))]


def test_no_title_of_ours_reads_like_a_secret() -> None:
    for error in _errors(AppError):
        assert redact_text(error.title) == error.title
        assert redact_text(error.__doc__ or "") == (error.__doc__ or "")


WORDS = st.text(st.sampled_from("abcdefgh ijklm.,()\n\t\"'{}[]<>/%é東"), max_size=60)


@given(
    st.sampled_from(sorted(SECRETS.values())),
    WORDS,
    WORDS,
    st.sampled_from([" ", "\n", '"', "'", "(", ",", "=", ":", "/", ">"]),
)
def test_no_secret_survives_any_surroundings(secret: str, before: str, after: str, edge: str) -> None:
    found = redact_text(before + edge + secret + edge + after)
    assert not leaks(secret, found), found


@given(st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz ABC.,;()\n\t-_é東[]{}<>!?"), max_size=300))
def test_text_without_marks_is_left_alone(text: str) -> None:
    assert redact_text(text) == text


@given(st.text(max_size=400))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(st.integers(0, 40_000), st.sampled_from(sorted(SECRETS.values())))
def test_a_long_text_is_cut_and_no_cut_lays_a_secret_open(position: int, secret: str) -> None:
    text = "word " * 8000
    found = redact_text(text[:position] + " " + secret + " " + text[position:])
    assert len(found) < 17_000
    assert not leaks(secret, found)


@pytest.mark.parametrize(
    "piece", ["a", "a-", "://", "a@", "password", "-----BEGIN PRIVATE KEY-----", "bearer ", "eyJ", ":", "x://:", '"token":"', "\\", "token ", "authorization : ", "a.b", "sig=", "dw2_"]
)  # fmt: skip
def test_no_text_takes_for_ever(piece: str) -> None:
    assert len(redact_text(piece * 2_000_000)) < 200_000  # a pattern that backtracks would not come back


def test_every_part_of_a_value_is_scrubbed() -> None:
    secret = SECRETS["a key of ours"]
    value: dict[str, Any] = {
        "a": [secret, {"b": (f"x {secret}", {secret})}],
        secret: 1,
        "password": "hunter2",
        "Set-Cookie": "session=1",
        "api_keys": [secret],
        "n": 3,
        "t": True,
        "none": None,
        "token": None,
        "tokens": 5,
    }
    found = redact(value)
    assert secret not in json.dumps(found)
    assert "hunter2" not in json.dumps(found)
    assert (found["n"], found["t"], found["none"], found["token"], found["tokens"]) == (3, True, None, None, 5)
    assert found["password"] == found["Set-Cookie"] == found["api_keys"] == REDACTED


def test_depth_and_number_are_bounded() -> None:
    deep: Any = "x"
    for _ in range(10_000):
        deep = [deep]
    assert len(json.dumps(redact(deep))) < 100
    assert len(redact(list(range(100_000)))) < 200
    assert len(redact({str(number): number for number in range(100_000)})) < 200


def test_a_log_line_is_scrubbed_in_every_field() -> None:
    secret = SECRETS["a token"]
    line = redact_event(
        None, "info", {"message": f"m {secret}", "exception": f"E: {secret}", "more": {"x": [secret]}, "who": "ada@example.com",
                       "org_id": UUID(int=7), "status": 200, "authorization": "x", "bytes": secret.encode()}
    )  # fmt: skip
    shown = json.dumps(line, default=str)
    assert not leaks(secret, shown)
    assert "ada@" not in shown
    assert (line["org_id"], line["status"], line["authorization"]) == (str(UUID(int=7)), 200, REDACTED)


def test_a_problem_never_shows_a_secret() -> None:
    secret = SECRETS["a key of ours"]
    error = AppError(f"no such key {secret}", field=secret, errors=[{"field": secret, "problem": f"password={PLAIN}"}])
    shown = render_problem(error, "r" * 32).get_data(as_text=True)
    assert not leaks(secret, shown)
    assert PLAIN not in shown
