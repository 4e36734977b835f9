"""What journeys remember, and what they make of what is there."""

from __future__ import annotations

import pytest

from tests.chaos.calls import GaveUpError
from tests.chaos.journeys.ledger import Ledger, Values


def give_up() -> None:
    raise GaveUpError


def found(ledger: Ledger, *names: str) -> list[str]:
    return [violation.check for violation in ledger.compare("journey", "thing", names)]


def test_a_promised_thing_is_there_once() -> None:
    ledger = Ledger()
    ledger.promise("a")
    assert found(ledger, "a") == []
    assert found(ledger) == ["journey: lost"]
    assert found(ledger, "a", "a") == ["journey: doubled"]
    assert found(ledger, "a", "b") == ["journey: unasked"]


def test_a_thing_that_was_given_up_is_there_once_or_not_at_all() -> None:
    ledger = Ledger()
    with pytest.raises(GaveUpError), ledger.making("a"):
        give_up()
    assert found(ledger) == found(ledger, "a") == []
    assert found(ledger, "a", "a") == ["journey: doubled"]
    assert ledger.promised() == []


def test_a_thing_whose_end_was_acknowledged_never_comes_back() -> None:
    ledger = Ledger()
    for name in ("a", "b", "c"):
        ledger.promise(name)
    with ledger.ending("a"):
        pass
    with pytest.raises(GaveUpError), ledger.ending("b"):
        give_up()
    assert found(ledger, "c") == found(ledger, "b", "c") == []
    assert found(ledger, "a", "c") == ["journey: came back"]
    assert (ledger.promised(), ledger.kept()) == (["a", "b", "c"], ["c"])


def test_a_value_is_the_last_one_acknowledged_or_one_given_up_since() -> None:
    values = Values("a")
    with values.setting("b"):
        pass
    with pytest.raises(GaveUpError), values.setting("c"):
        give_up()
    assert [list(values.compare("journey", "thing", value)) for value in ("b", "c")] == [[], []]
    (violation,) = values.compare("journey", "thing", "a")
    assert violation.text == "thing is 'a', expected 'b' or 'c'"
    with values.setting("d"):
        pass
    assert [violation.check for violation in values.compare("journey", "thing", "c")] == ["journey: changed"]
