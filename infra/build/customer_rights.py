"""Writes what customers grant DriftWise in their clouds: `python -m infra.build.customer_rights [--check]`.

It is made from what the readers declare to need. That those of AWS declare all they call, and nothing that writes, is proved by
`tests/integration/scan/test_customer_rights.py`; for the other clouds by `tests/unit/scan/test_cloud_rights.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby
from pathlib import Path

from functions.scan.readers.aws import FURTHER_PERMISSIONS, SERVICES
from functions.scan.readers.aws.trail import PERMISSION as ATTRIBUTION
from functions.scan.readers.azure import actions as azure_actions
from functions.scan.readers.gcp import rights as google_rights

ROOT = Path(__file__).parents[2]
MODULES = Path("terraform/customer")
FILE = ROOT / MODULES / "aws" / "read_policies.json"
MOST_CHARACTERS = 6144  # of a managed policy, white space not counted. Source: IAM User Guide, "IAM and STS quotas"
MOST_POLICIES = 10  # managed ones that a role may have, unless the account asked for more. Source: as above


def read_actions() -> list[str]:
    """Return the IAM actions that a complete scan and the attribution of its drift need, sorted."""
    listed = {name for service in SERVICES for listing in service.listings for name in listing.permissions}
    return sorted({*listed, *FURTHER_PERMISSIONS, ATTRIBUTION})


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


def google_text() -> str:
    """Return the permissions of a reading role in Google Cloud, and the APIs that must be enabled, as a JSON object."""
    found = {"permissions": google_rights.READING, "services": google_rights.SERVICES}
    return json.dumps(found, indent=2) + "\n"


def azure_text() -> str:
    """Return the actions of a reading role in Azure as a JSON object: for every type, or for the mapped ones only."""
    found = {
        "every_type": [azure_actions.EVERYTHING],
        "mapped_types": azure_actions.needed(),
        "never": azure_actions.CONTENTS,
    }
    return json.dumps(found, indent=2) + "\n"


def texts() -> dict[Path, str]:
    """Return every file, by its place below the repository's root."""
    return {
        MODULES / "aws" / FILE.name: policy_text(),
        MODULES / "gcp" / "read_permissions.json": google_text(),
        MODULES / "azure" / "read_actions.json": azure_text(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or only say whether they are what they should be; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.build.customer_rights",
        description="Write the rights that customers grant in their clouds.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    options = parser.parse_args(arguments)
    stale = 0
    for name, text in texts().items():
        file = ROOT / name
        if not options.check:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{name} is stale: run `python -m infra.build.customer_rights` and commit it\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
