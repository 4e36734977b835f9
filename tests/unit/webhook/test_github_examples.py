"""Whatever reads what GitHub sends: real payloads are read right, and what fuzzing makes of them is refused by a code, in time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.analyze.domain.plan.reader import read_plan
from functions.analyze.domain.plan_events import find_plan
from functions.analyze.errors import PlanTooLarge, PlanUnreadable, PlanVersionUnsupported
from functions.keys.models import LeakReport
from functions.webhook.domain.events import carries_plan, challenge, event_name, external_id, kind_of
from shared.http.call import validated
from shared.http.errors import Invalid, MalformedRequest
from shared.http.strict_json import parse_json
from shared.security.signatures import PROVIDERS
from tests.support.github_examples import github_examples, mutated

_MOST_SECONDS = 3.0  # on a machine that does other things too; the worst of them takes a tenth
TYPES = ("application/json", "application/x-www-form-urlencoded", "")
fuzzed = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@contextmanager
def in_time(what: str) -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < _MOST_SECONDS, what


def test_every_payload_is_named_as_github_names_it() -> None:
    examples = github_examples()
    assert {item.source for item in examples} >= {"api.github.com", "ghes-35"}
    for example in examples:
        name = event_name("github", {"x-github-event": example.event})
        assert kind_of("github", name, "application/json", example.body) == example.kind
        assert not carries_plan("github", example.kind)


def test_no_payload_is_taken_for_a_plan() -> None:
    for example in github_examples():
        with pytest.raises(PlanUnreadable):
            read_plan(find_plan("atlantis", example.body).plan)
        with pytest.raises(PlanUnreadable):
            read_plan(find_plan("standard", json.dumps({"data": example.payload}).encode()).plan)


@fuzzed
@given(data=st.data())
def test_what_fuzzing_makes_of_them_has_a_kind_or_cannot_be_read(data: st.DataObject) -> None:
    example, body = data.draw(mutated(github_examples()))
    provider, content_type = data.draw(st.sampled_from(sorted(PROVIDERS))), data.draw(st.sampled_from(TYPES))
    with in_time(f"{provider} took too long over {body[:200]!r}"):
        named = external_id(provider, {"x-github-delivery": "d"}, content_type, body)
        assert named is None or 0 < len(named) <= 200
        asked = challenge(provider, content_type, body)
        assert asked is None or isinstance(asked, str)
        try:
            kind = kind_of(provider, example.event, content_type, body)
        except MalformedRequest:
            return
    assert 0 < len(kind) <= 200
    assert kind.encode()
    assert "\x00" not in kind


@fuzzed
@given(data=st.data())
def test_what_fuzzing_makes_of_them_is_a_plan_or_refused_by_a_code(data: st.DataObject) -> None:
    _, body = data.draw(mutated(github_examples()))
    with in_time(f"{body[:200]!r}"):
        try:
            plan = read_plan(find_plan(data.draw(st.sampled_from(("atlantis", "standard"))), body).plan)
        except (PlanUnreadable, PlanVersionUnsupported, PlanTooLarge):
            return
    pytest.fail(f"was taken for a plan of {len(plan.changes)} changes: {body[:200]!r}")


@fuzzed
@given(data=st.data())
def test_what_fuzzing_makes_of_them_is_no_report_of_leaked_keys(data: st.DataObject) -> None:
    _, body = data.draw(mutated(github_examples()))
    with in_time(f"{body[:200]!r}"):
        try:
            report = validated(LeakReport, parse_json(body))
        except (Invalid, MalformedRequest):
            return
    assert all(find.token for find in report.root)


def test_the_fuzzing_does_what_it_says() -> None:
    """Of many draws some can be read and some cannot, some are deep, some are large: or the tests above prove nothing."""
    seen: set[str] = set()

    @settings(max_examples=120, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        example, body = data.draw(mutated(github_examples()))
        seen.add("large" if len(body) > 250_000 else "small")
        if b"[" * 60 in body or b'{"a":' * 60 in body:
            seen.add("deep")
        try:
            kind = kind_of("github", example.event, TYPES[0], body)
        except MalformedRequest:
            seen.add("unreadable")
        else:
            seen.add("read" if kind == example.kind else "read as another")

    look()
    assert seen == {"large", "small", "deep", "unreadable", "read", "read as another"}
