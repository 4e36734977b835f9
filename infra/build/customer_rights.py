"""Writes what customers grant DriftWise in their AWS accounts: `python -m infra.build.customer_rights [--check]`.

The policies are made from what the readers' listings declare to need. That they declare all they call, and nothing that writes,
is proved by `tests/integration/scan/test_customer_rights.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby
from pathlib import Path

from functions.scan.readers.aws import SERVICES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "terraform" / "customer" / "aws" / "read_policies.json"
MOST_CHARACTERS = 6144  # of a managed policy, white space not counted. Source: IAM User Guide, "IAM and STS quotas"
MOST_POLICIES = 10  # managed ones that a role may have, unless the account asked for more. Source: as above


def read_actions() -> list[str]:
    """Return the IAM actions that a complete scan needs, sorted."""
    return sorted({name for service in SERVICES for listing in service.listings for name in listing.permissions})


def policies() -> list[dict[str, object]]:
    """Return the policy documents: as few as hold all actions, the actions of one service together where they fit.

    Raises:
        ValueError: there are more than a role may have.
    """
    documents: list[list[str]] = [[]]
    for _, actions in groupby(read_actions(), key=lambda action: action.partition(":")[0]):
        service = list(actions)
        if documents[-1] and _size([*documents[-1], *service]) > MOST_CHARACTERS:
            documents.append([])
        documents[-1].extend(service)
    if len(documents) > MOST_POLICIES or any(_size(actions) > MOST_CHARACTERS for actions in documents):
        raise ValueError(f"the actions take {len(documents)} policies; a role may have {MOST_POLICIES}")
    return [_document(actions) for actions in documents]


def _document(actions: list[str]) -> dict[str, object]:
    statement = {"Sid": "ReadForDriftDetection", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _size(actions: list[str]) -> int:
    return len(json.dumps(_document(actions), separators=(",", ":")))


def policy_text() -> str:
    """Return the policy documents as a JSON list."""
    return json.dumps(policies(), indent=2) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.build.customer_rights", description="Write the policies that customers attach in AWS."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is stale")
    options = parser.parse_args(arguments)
    text = policy_text()
    name = FILE.relative_to(ROOT)
    if not options.check:
        FILE.write_text(text, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{name} is stale: run `python -m infra.build.customer_rights` and commit it\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
