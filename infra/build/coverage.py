"""Writes `infra/coverage.md`, which says what is compared of which type of which cloud: `python -m infra.build.coverage [--check]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.scan.domain.specs import TypeSpec
from functions.scan.readers.azure.actions import needed
from functions.scan.readers.gcp.rights import READING
from functions.scan.types.aws import SPECS as AWS
from functions.scan.types.aws.catalogue import READABLE
from functions.scan.types.aws.schema import known_count as aws_count
from functions.scan.types.azure import DECLARABLE as AZURE
from functions.scan.types.gcp import specs as google_specs
from functions.scan.types.gcp.schema import known_count as google_count

from .customer_rights import read_actions

ROOT = Path(__file__).parents[2]
FILE = ROOT / "infra" / "coverage.md"
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
    asked = sum(1 for name in READABLE if name not in AWS)
    return [
        Chapter(
            "AWS",
            f"{len(AWS)} of the provider's {aws_count()} types are mapped; {asked} further ones are read by Cloud Control where a state declares "
            f"them, everything else is listed by ARN. A complete scan needs {len(read_actions())} IAM actions (`terraform/customer/aws`).",
            AWS,
        ),
        Chapter(
            "Google Cloud",
            f"{len(google_specs())} of the provider's {google_count()} types are mapped, grants (`_iam_…`) among them. Everything is read by Cloud Asset "
            f"Inventory; of asset types without a mapping it is told that they exist. Needed: {_words(READING)} (`terraform/customer/gcp`).",
            google_specs(),
        ),
        Chapter(
            "Azure",
            f"{len(AZURE)} types are mapped, other names of one type counted as well. Everything is read by Resource Graph and lists of what that does not hold; "
            f"of ARM types without a mapping it is told that they exist. Needed for the mapped types: {len(needed())} actions (`terraform/customer/azure`).",
            AZURE,
        ),
    ]


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
    parser = argparse.ArgumentParser(prog="python -m infra.build.coverage", description="Write infra/coverage.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    options = parser.parse_args(arguments)
    text = coverage_text()
    if not options.check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        sys.stderr.write("infra/coverage.md is stale: run `python -m infra.build.coverage` and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
