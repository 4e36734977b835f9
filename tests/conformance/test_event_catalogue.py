"""Every event that the functions emit stands in the catalogue that notifications are written from, and nothing else stands there.

Emits are found in the source. Where the event's name is not written down at the call, its file says which names it can be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from functions.webhook.channel_models import DEFAULT_EVENTS
from functions.webhook.domain.catalogue import CATALOGUE, Entry, entry_of
from functions.webhook.domain.notices import UNTOLD
from shared.rules.globs import matches
from tests.support.running_suite import ROOT

TOPIC = "org-events"
# Calls whose event is a variable or has one in it: what they can emit.
COMPUTED = {
    ("functions/auth/handlers/members.py", "action"): {"auth:member:left", "auth:member:removed"},
    ("functions/auth/handlers/platform_orgs.py", "action"): {"auth:org:restored", "auth:org:plan_changed"},
    ("functions/webhook/handlers/worker.py", "f'webhook:delivery:{status}'"): {
        "webhook:delivery:handled", "webhook:delivery:failed",
    },
    ("functions/webhook/handlers/plan_events.py", "f'webhook:delivery:{status}'"): {
        "webhook:delivery:handled", "webhook:delivery:failed",
    },
    ("functions/webhook/handlers/senders.py", "CHANNEL_DISABLED"): {"webhook:channel:disabled"},
}  # fmt: skip


def emits(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the expression of every event that is put on the topic."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "emit":
            continue
        topic, payload = node.args
        if not isinstance(topic, ast.Constant) or topic.value != TOPIC:
            continue
        assert isinstance(payload, ast.Dict), "write the payload where it is emitted, so that its event can be read"
        for key, value in zip(payload.keys, payload.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "event":
                yield value


def emitted() -> dict[str, set[str]]:
    """Return every event that is emitted, with the files that do."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "functions").rglob("*.py")):
        file = str(path.relative_to(ROOT))
        for value in emits(ast.parse(path.read_bytes())):
            computed = COMPUTED.get((file, ast.unparse(value)))
            names = {str(value.value)} if isinstance(value, ast.Constant) else computed
            assert names, f"{file}: say in COMPUTED what {ast.unparse(value)} can be"
            for name in names:
                found.setdefault(name, set()).add(file)
    return found


def test_every_event_that_is_emitted_stands_in_the_catalogue() -> None:
    missing = {name: files for name, files in emitted().items() if name not in CATALOGUE}
    assert not missing, "say in functions/webhook/domain/catalogue.py what is told of these"


def test_every_event_of_the_catalogue_is_emitted() -> None:
    assert set(CATALOGUE) - set(emitted()) == set()


def test_names_that_a_call_can_have_are_written_down_in_its_file() -> None:
    """A name in COMPUTED that its file no longer knows would keep an entry alive that nobody emits."""
    for (file, _), names in COMPUTED.items():
        text = "".join(
            path.read_text() for path in (ROOT / file).parent.parent.rglob("*.py") if path.name != "catalogue.py"
        )
        for name in names:
            assert name in text or f"{name.rpartition(':')[0]}:{{" in text, f"{file}: nothing makes {name}"


def test_what_notices_treat_apart_stands_in_the_catalogue() -> None:
    assert set(UNTOLD) <= set(CATALOGUE)
    for glob in DEFAULT_EVENTS:
        assert any(matches(glob, event) for event in CATALOGUE), f"{glob} of the default is no event's"


@pytest.mark.parametrize("event", CATALOGUE)
def test_an_entry_can_be_told(event: str) -> None:
    entry = CATALOGUE[event]
    source, subject, action = event.split(":")
    assert (source, subject, action) != ("", "", "")
    assert Path(ROOT / "functions" / source).is_dir()
    assert 0 < len(entry.title) <= 100
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    members = [name for _, name, _, _ in Formatter().parse(entry.link) if name]
    assert entry.link_of(dict.fromkeys(members, "0198-id")).count("0198-id") == len(members)


@pytest.mark.parametrize("value", ["", "..", "../x", "a b", "x" * 101, None, {"a": 1}, "é"])
def test_what_is_no_id_gets_into_no_link(value: object) -> None:
    entry = Entry("A thing happened", link="/things/{thing_id}")
    assert entry.link_of({"thing_id": value}) == "/audit-log"
    assert entry.link_of({}) == "/audit-log"
    assert entry.link_of({"thing_id": "aws.s3-1"}) == "/things/aws.s3-1"


def test_an_event_that_is_not_known_yet_is_told_by_its_name() -> None:
    assert entry_of("new_function:some_thing:done") == Entry("new function: some thing done")
