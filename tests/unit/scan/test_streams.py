"""The live progress of a scan: what is sent, when it ends, and how many at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from functions.scan.domain.progress import HEARTBEAT, Picture, picture_of
from functions.scan.errors import StreamsBusy
from functions.scan.streams import HEARTBEAT_SECONDS, MOST_SECONDS, Places, Stream, follow
from shared.security.errors import Unauthenticated
from shared.testing.clock import FakeClock


def scan(status: str = "running", done: int = 0, **more: Any) -> dict[str, Any]:
    values = {
        "id": "s",
        "status": status,
        "shards_total": 3,
        "shards_done": done,
        "resources": 0,
        "error_code": None,
        "summary": {},
    }
    return values | more


def picture(status: str = "running", done: int = 0, **more: Any) -> Picture:
    return picture_of(scan(status, done, **more), [{"service": "ec2", "region": "eu-west-1"}])


def events(sent: Iterator[bytes]) -> list[tuple[str, dict[str, Any]]]:
    """Read what was sent as a browser does; returns names and data."""
    found = []
    for block in b"".join(sent).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def sent_of(
    pictures: list[Picture], clock: FakeClock, admit: Callable[[], None] = lambda: None, last_id: str | None = None
) -> Iterator[bytes]:
    """Follow a scan that looks so at each look, and stays as it was at the last one."""
    coming = iter(pictures[1:])
    latest = [pictures[0]]

    def look() -> Picture:
        latest[0] = next(coming, latest[0])
        return latest[0]

    return follow(look, admit, clock, first=pictures[0], last_id=last_id)


def test_every_change_is_told_once_and_the_end_is_the_last_word() -> None:
    pictures = [
        picture(),
        picture(),
        picture(done=1),
        picture(done=3, status="comparing"),
        picture("done", 3, summary={"drift": 2}),
    ]
    found = events(sent_of(pictures, FakeClock()))
    assert [(name, data["status"], data["shards_done"]) for name, data in found] == [
        ("progress", "running", 0), ("progress", "running", 1), ("progress", "comparing", 3), ("end", "done", 3),
    ]  # fmt: skip
    assert found[0][1]["working"] == ["ec2 eu-west-1"]
    assert found[-1][1]["summary"] == {"drift": 2}


def test_who_comes_back_with_the_last_id_is_told_what_changed_since() -> None:
    found = events(
        sent_of([picture(done=1), picture(done=2), picture("failed", 2)], FakeClock(), last_id=picture(done=1).id)
    )
    assert [data["shards_done"] for _, data in found] == [2, 2]


def test_a_quiet_stream_beats_and_ends_by_itself() -> None:
    clock = FakeClock()
    sent = list(sent_of([picture()], clock))
    assert sent.count(HEARTBEAT) == int(MOST_SECONDS // HEARTBEAT_SECONDS)
    assert MOST_SECONDS <= clock.monotonic_seconds() < MOST_SECONDS + 5
    assert events(iter(sent))[-1][0] == "progress"


def test_who_is_no_longer_let_in_is_shown_nothing_more() -> None:
    clock = FakeClock()

    def admit() -> None:
        raise Unauthenticated

    found = events(sent_of([picture(), *(picture(done=number % 3) for number in range(1, 40))], clock, admit))
    assert clock.monotonic_seconds() <= 5  # a revoked key is dead within five seconds
    assert len(found) <= 3


def test_no_more_streams_are_open_than_there_are_places() -> None:
    places = Places(FakeClock(), most=2)
    first, _second = (Stream(places, iter([b"x"])) for _ in range(2))
    with pytest.raises(StreamsBusy) as refused:
        Stream(places, iter(()))
    assert refused.value.retry_after_seconds
    first.close()
    first.close()  # once more gives no second place
    Stream(places, iter(()))
    with pytest.raises(StreamsBusy):
        places.take()


def test_a_place_that_nobody_gave_back_is_free_after_a_while() -> None:
    clock = FakeClock()
    places = Places(clock, most=1)
    places.take()
    clock.advance(2 * MOST_SECONDS + 1)
    assert places.take()


def test_a_text_of_a_cloud_cannot_begin_an_event_of_its_own() -> None:
    hostile = picture_of(
        scan(error_code="x\n\nevent: end\ndata: {}\n\n"), [{"service": "a\rb\u2028", "region": "r\n\n"}]
    )
    assert hostile.written().count(b"\n\n") == 1
    assert b"\r" not in hostile.written()
    assert len(events(iter([hostile.written()]))) == 1
