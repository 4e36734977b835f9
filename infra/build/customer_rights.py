"""Writes what customers grant DriftWise in their AWS accounts: `python -m infra.build.customer_rights [--check]`.

The policy is made from what the readers' listings declare to need. That they declare all they call, and nothing that writes,
is proved by `tests/integration/scan/test_customer_rights.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from functions.scan.readers.aws import FURTHER_PERMISSIONS, SERVICES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "terraform" / "customer" / "aws" / "read_policy.json"
MOST_CHARACTERS = 6144  # of a managed policy, white space not counted. Source: IAM User Guide, "IAM and STS quotas"


def read_actions() -> list[str]:
    """Return the IAM actions that a complete scan needs, sorted."""
    listed = {name for service in SERVICES for listing in service.listings for name in listing.permissions}
    return sorted({*listed, *FURTHER_PERMISSIONS})


def policy_text() -> str:
    """Return the policy document as JSON text.

    Raises:
        ValueError: it is too large for one managed policy.
    """
    statement = {"Sid": "ReadForDriftDetection", "Effect": "Allow", "Action": read_actions(), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    size = len(json.dumps(document, separators=(",", ":")))
    if size > MOST_CHARACTERS:
        raise ValueError(f"the policy has {size} characters, a managed policy takes {MOST_CHARACTERS}: split it")
    return json.dumps(document, indent=2) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or only say whether it is what it should be; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.build.customer_rights", description="Write the policy that customers attach in AWS."
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
