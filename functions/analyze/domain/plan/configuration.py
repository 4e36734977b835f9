"""Who refers to whom: the plan's `configuration` as a graph between resources, through modules, variables, locals and outputs.

Only names are read; constant values in the configuration are never looked at (a secret may stand there).
Source: https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.rules.plan import config_address

_MOST_NODES = 200_000
_ALL = "*"  # what `depends_on`, `count` and `for_each` refer to: no attribute of the resource

References = dict[str, dict[str, frozenset[str]]]


@dataclass
class _Module:
    """One module of the configuration, by its address without index keys."""

    path: str
    parent: _Module | None
    variables: dict[str, list[str]] = field(default_factory=dict)
    outputs: dict[str, list[str]] = field(default_factory=dict)
    resources: set[str] = field(default_factory=set)
    children: dict[str, _Module] = field(default_factory=dict)


def read_references(configuration: object) -> References | None:
    """Return configuration address -> attribute -> addresses it refers to; None when there is no configuration.

    Args:
        configuration: the plan's member of that name.
    """
    root = configuration.get("root_module") if isinstance(configuration, Mapping) else None
    if not isinstance(root, Mapping):
        return None
    found: References = {}
    pending: list[tuple[_Module, str, dict[str, list[str]]]] = []
    waiting: list[tuple[_Module, Mapping[str, Any]]] = [(_Module("", None), root)]
    while waiting and len(pending) < _MOST_NODES:
        module, body = waiting.pop()
        for resource in _objects(body.get("resources")):
            address = resource.get("address")
            if isinstance(address, str):
                module.resources.add(config_address(address))
                pending.append((module, f"{module.path}{config_address(address)}", dict(_attributes(resource))))
        outputs = body.get("outputs")
        for name, output in outputs.items() if isinstance(outputs, Mapping) else ():
            if isinstance(output, Mapping):
                module.outputs[name] = [*_references(output.get("expression")), *_names(output.get("depends_on"))]
        calls = body.get("module_calls")
        for name, call in calls.items() if isinstance(calls, Mapping) else ():
            if isinstance(call, Mapping) and isinstance(call.get("module"), Mapping):
                child = _Module(f"{module.path}module.{name}.", module, dict(_attributes(call)))
                module.children[name] = child
                waiting.append((child, call["module"]))
    resolver = _Resolver()
    for module, address, attributes in pending:
        found[address] = {
            name: frozenset(resolver.resolve(module, references)) for name, references in attributes.items()
        }
    return found


class _Resolver:
    """Follows names to resources, each name of a module once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def resolve(self, module: _Module, references: Iterable[str]) -> set[str]:
        """Return the configuration addresses that some references of a module end at."""
        found: set[str] = set()
        waiting = [(module, reference) for reference in references]
        seen: set[tuple[str, str]] = set()
        while waiting:
            here, reference = waiting.pop()
            key = (here.path, reference)
            if key in seen:
                continue
            seen.add(key)
            target = self._resource(here, reference)
            if target is not None:
                found.add(target)
            else:
                waiting.extend(_onward(here, reference))
        return found

    @staticmethod
    def _resource(module: _Module, reference: str) -> str | None:
        parts = config_address(reference).split(".")
        for size in (3, 2) if parts[0] == "data" else (2,):
            name = ".".join(parts[:size])
            if name in module.resources:
                return f"{module.path}{name}"
        return None


def _onward(module: _Module, reference: str) -> list[tuple[_Module, str]]:
    """Return where a reference to a variable or to a module's output leads."""
    parts = config_address(reference).split(".")
    if parts[0] == "var" and len(parts) > 1 and module.parent is not None:
        return [(module.parent, name) for name in module.variables.get(parts[1], ())]
    if parts[0] == "module" and len(parts) > 1 and parts[1] in module.children:
        child = module.children[parts[1]]
        outputs = [parts[2]] if len(parts) > 2 else list(child.outputs)
        return [(child, name) for output in outputs for name in child.outputs.get(output, ())]
    return []


def _attributes(body: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield what each attribute refers to; those of blocks also by their own name, `block.attribute`."""
    expressions = body.get("expressions")
    for name, expression in expressions.items() if isinstance(expressions, Mapping) else ():
        yield str(name), _references(expression)
        inner: dict[str, list[str]] = {}
        for block in _blocks(expression):
            for part, value in block.items():
                inner.setdefault(f"{name}.{part}", []).extend(_references(value))
        yield from inner.items()
    yield (
        _ALL,
        [
            *_names(body.get("depends_on")),
            *_references(body.get("for_each_expression")),
            *_references(body.get("count_expression")),
        ],
    )


def _references(expression: object) -> list[str]:
    """Return every reference under an expression; blocks nest expressions in objects and lists."""
    found: list[str] = []
    waiting = [expression]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            found.extend(_names(item.get("references")))
            waiting.extend(inner for name, inner in item.items() if name not in {"references", "constant_value"})
        elif isinstance(item, list):
            waiting.extend(item)
    return found


def _blocks(expression: object) -> Iterator[Mapping[str, Any]]:
    """Yield the blocks under a name; an expression is none, and of dynamic blocks the configuration says nothing."""
    for item in expression if isinstance(expression, list) else [expression]:
        if isinstance(item, Mapping) and not {"references", "constant_value"} & item.keys():
            yield item


def _names(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else ()
