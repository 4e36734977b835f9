"""How a resource that runs is imported: what every cloud's rules are made of. The rules stand in `types/<cloud>/imports.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Source:
    """A resource that runs, as the last scan stored it.

    Attributes:
        key: match key.
        cloud_id: ARN, full resource name or id, as the cloud writes it.
        attributes: compared attributes.
        tags: its tags.
    """

    key: str
    cloud_id: str
    attributes: Mapping[str, Any]
    tags: Mapping[str, str]

    @property
    def name(self) -> str:
        """The last part of the ARN's resource, else of the key."""
        whole = self.cloud_id if self.cloud_id.startswith("arn:") else self.key
        return whole.split(":", 5)[-1].rsplit("/", 1)[-1].rsplit(":", 1)[-1]

    @property
    def resource(self) -> str:
        """The ARN's resource without its kind: `/aws/lambda/mailer` of `…:log-group:/aws/lambda/mailer`."""
        whole = self.key if self.key.startswith("arn:") else self.cloud_id
        rest = whole.split(":", 5)[-1]
        positions = [rest.find(mark) for mark in ":/" if mark in rest]
        return rest[min(positions) + 1 :] if positions else rest

    def part(self, position: int, separator: str = "|") -> str:
        """One part of the key; empty when it has fewer."""
        parts = self.key.split(separator)
        return parts[position] if position < len(parts) else ""


Adds: TypeAlias = Callable[[Source], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class ImportRule:
    """How one type is imported.

    Attributes:
        id: the import id; None where what is stored does not tell it.
        adds: attributes that a configuration needs and that are not compared.
        left_out: paths that are never written, as the provider refuses them together with others or fills them in itself.
        present: tells of the path of a block whether its presence alone says something, so that it is written empty.
        secrets: attributes whose values are never written, where the provider's schema does not say so.
        unreadable: arguments that exist in Terraform only: the plan would set them, so the configuration ignores them.
    """

    id: Callable[[Source], str | None]
    adds: Adds = lambda _source: {}
    left_out: frozenset[str] = frozenset()
    present: Callable[[str], bool] = lambda _path: False
    secrets: frozenset[str] = frozenset()
    unreadable: tuple[str, ...] = ()
