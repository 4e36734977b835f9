"""Other values beside a given one, near enough to be taken for it: what a change behind Terraform's back may leave.

Pure; knows no type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_ANYTHING: tuple[object, ...] = (
    "changed", True, 7, ["changed"], {"changed": "x"}, [{"enabled": True, "status": "changed", "name": "changed"}],
    '{"Statement": [{"Effect": "Allow", "Action": "changed"}]}',
)  # fmt: skip


def others(value: object) -> Iterator[object]:
    """Yield values that differ from one: every leaf changed alone, then values of other kinds."""
    yield from _leaves(value)
    yield from _ANYTHING


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from ({**value, name: other} for other in _leaves(item))
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from ([*value[:position], other, *value[position + 1 :]] for other in _leaves(item))
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value}x"
