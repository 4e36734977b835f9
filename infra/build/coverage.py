"""Writes `infra/coverage.md`, which says what is compared of which type of which cloud: `python -m infra.build.coverage [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from functions.scan.clouds import CLOUDS
from functions.scan.domain.specs import TypeSpec
from functions.scan.readers.azure.actions import needed
from functions.scan.readers.gcp.rights import READING
from functions.scan.types.aws.catalogue import READABLE

from .customer_rights import read_actions
from .generated import ROOT, write_or_check

FILE = ROOT / "infra" / "coverage.md"
_TITLES = {"aws": "AWS", "gcp": "Google Cloud", "azure": "Azure", "kubernetes": "Kubernetes"}
_HEAD = """# What is compared

Made from the type tables by `python -m infra.build.coverage`; a test fails when it is stale. *Compared* are the attributes whose values in the
cloud are held against those in the state. Of a type without any, and of whatever else exists, it is told that it is there, that it is
missing, or that nobody declares it; a second detector tells that something else about a declared resource changed. What a single scan
could not read is told by `GET …/scans/{id}/coverage`, with the missing permission by name.
"""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One cloud.

    Attributes:
        title: its heading.
        says: how it is read, and what is not known.
        table: its types.
    """

    title: str
    says: str
    table: Mapping[str, TypeSpec]


def chapters() -> list[Chapter]:
    """Return what is said of each cloud."""
    return [Chapter(_TITLES[name], _says(name), CLOUDS[name].specs()) for name in _TITLES]


def _says(provider: str) -> str:
    cloud = CLOUDS[provider]
    count, known = len(cloud.specs()), cloud.count_known()
    mapped = (
        f"{count} of {known} types of its Terraform providers are mapped."
        if known > count
        else f"{count} types are mapped."
    )
    asked = sum(1 for name in READABLE if name not in cloud.specs())
    ways = {
        "aws": f"{asked} further types are read by Cloud Control where a state declares them, everything else is listed by ARN. A complete scan needs "
        f"{len(read_actions())} IAM actions (`terraform/customer/aws`).",
        "gcp": "Grants (`_iam_…`) are types as well. Everything is read by Cloud Asset Inventory; of asset types without a mapping it is told that "
        f"they exist. Needed: {_words(READING)} (`terraform/customer/gcp`).",
        "azure": "Other names of one type are counted as well. Everything is read by Resource Graph, and by lists of what that does not hold; of ARM types "
        f"without a mapping it is told that they exist. Needed for the mapped types: {len(needed())} actions (`terraform/customer/azure`).",
        "kubernetes": "Everything comes from the report of the operator in the cluster (`infra/operator`); no credentials are needed.",
    }
    return f"{mapped} {ways[provider]}"


def coverage_text() -> str:
    """Return the page as Markdown."""
    return _HEAD + "".join(_chapter(chapter) for chapter in chapters())


def _chapter(chapter: Chapter) -> str:
    rows = "".join(f"| `{name}` | {_compared(chapter.table[name])} |\n" for name in sorted(chapter.table))
    return f"\n## {chapter.title}\n\n{chapter.says}\n\n| type | compared |\n|---|---|\n{rows}"


def _compared(spec: TypeSpec) -> str:
    return ", ".join(sorted(spec.shapes)) or "existence"


def _words(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    return write_or_check(FILE, coverage_text(), "infra.build.coverage", arguments)


if __name__ == "__main__":
    sys.exit(main())
