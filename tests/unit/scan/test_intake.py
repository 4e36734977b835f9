"""What a shard of another cloud found is taken in; nothing is left out without a word."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

from functions.scan.clouds.intake import Further, Intake
from functions.scan.clouds.port import ShardWork


def test_a_name_that_is_too_long_to_be_kept_is_told() -> None:
    shard: Any = {"id": uuid4(), "scan_id": uuid4(), "region": "europe-west3"}
    work = ShardWork(cast("Any", None), cast("Any", None), uuid4(), shard, cast("Any", {"id": uuid4()}))
    intake = Intake(work, {}, cast("Any", SimpleNamespace()))
    for _ in range(2):
        intake.put(Further("n" * 2049, "path", "Widget", "europe-west3"))
    intake.store()
    assert [(gap["types"], gap["reason"], gap["region"]) for gap in intake.outcome.gaps] == [
        (["Widget"], "malformed", "europe-west3")
    ]
