"""The description of the suite: what is refused, and how it is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.suite import SuiteError, load_suite

from .trees import suite_document, write_suite

Change = Callable[[dict[str, Any]], object]


def test_the_real_description_is_good() -> None:
    suite = load_suite()
    assert suite.name == "driftwise"
    assert {entry_point.name for entry_point in suite.entry_points()} >= {"auth", "keys", "scan", "scan_worker"}
    assert all(roles.login.endswith("_login") for roles in suite.roles())


def test_the_dataclasses_hold_what_the_file_says(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path))
    assert suite.subscriptions["jobs"].dead_letter_topic == "dead-letters"
    assert suite.schedules["tick"].every_seconds == 1
    assert suite.functions["tiny"].paths["/things"] == ("GET", "POST")
    entry_point = suite.functions["tiny"].http_entry_point
    assert entry_point is not None
    assert entry_point.name == "tiny"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda suite: suite.update(extra=1), "extra"),
        (lambda suite: suite["subscriptions"]["jobs"].update(retries=3), "subscriptions.jobs"),
        (lambda suite: suite["subscriptions"]["jobs"].update(topic="nowhere"), "nowhere does not exist"),
        (lambda suite: suite["subscriptions"]["jobs"].update(dead_letter_topic="gone"), "gone does not exist"),
        (lambda suite: suite["subscriptions"]["jobs"].update(function="gone"), "function: gone does not exist"),
        (lambda suite: suite["subscriptions"]["jobs"].update(entry_point="gone"), "gone is no entry point of tiny"),
        (lambda suite: suite["subscriptions"]["jobs"].update(entry_point="tiny"), "trigger http, not events"),
        (lambda suite: suite["subscriptions"]["jobs"].update(minimum_backoff_seconds=60), "minimum_backoff_seconds"),
        (lambda suite: suite["schedules"]["tick"].update(path="/_events/jobs"), "two senders"),
        (lambda suite: suite["functions"]["tiny"].update(kms_keys=["gone"]), "kms_keys: gone does not exist"),
        (lambda suite: suite["functions"]["tiny"].update(secrets=["gone"]), "secrets: gone does not exist"),
        (lambda suite: suite["functions"]["tiny"].update(publishes=["gone"]), "publishes: gone does not exist"),
        (lambda suite: suite["functions"]["other"]["paths"].update({"/things/{x}": ["GET"]}), "already served by tiny"),
        (lambda suite: suite["functions"]["other"]["paths"].update({"/_events/x": ["POST"]}), "cannot be public"),
        (lambda suite: suite["functions"]["other"]["paths"].update({"/a//b": ["GET"]}), "/a//b"),
        (lambda suite: suite["functions"]["other"]["paths"].update({"/a": ["TRACE"]}), "TRACE"),
        (lambda suite: suite["functions"]["other"]["entry_points"]["other"].update(trigger="events"), "to serve them"),
        (lambda suite: suite["functions"]["other"].update(database={"login": "tiny_login", "work": "x"}), "used twice"),
        (lambda suite: suite["kms_keys"].update(bad={"purpose": "asymmetric_sign"}), "kms_keys.bad"),
    ],
)
def test_a_wrong_description_is_refused_with_its_place(tmp_path: Path, change: Change, expected: str) -> None:
    document = suite_document()
    change(document)
    with pytest.raises(SuiteError, match=r"suite\.yaml") as caught:
        load_suite(write_suite(tmp_path, document))
    assert expected in str(caught.value)


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = write_suite(tmp_path)
    file.write_text(file.read_text() + "\nsuite: again\n")
    with pytest.raises(SuiteError, match="'suite' stands twice"):
        load_suite(file)
