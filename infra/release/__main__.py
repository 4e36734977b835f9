"""Makes the images of a release: `python -m infra.release --commit HASH --repository R … --images images.json`, after `make bundle`.

Run by CI's build job alone: nobody else may push or sign. Ends with 0 when every image is signed. Runbook: infra/runbooks/supply-chain.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from infra.deploy.platform import run_command
from infra.deploy.rollout import DeploymentError
from infra.suite import load_suite

from .images import Release, ReleaseError, Target, Tools, checksums

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Make the images and write what they are; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.release", description="Build, scan, sign the images of a commit."
    )
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="the bundles (default: dist)")
    parser.add_argument("--commit", required=True, help="full hash of what is checked out")
    parser.add_argument("--repository", required=True, help="output `repository_url` of the module supply_chain")
    parser.add_argument("--attestor", required=True, help="projects/P/attestors/A")
    parser.add_argument("--key-version", required=True, help="output `attestor_key_version`")
    parser.add_argument("--bills", required=True, help="the bucket of bills of materials")
    parser.add_argument("--pack", required=True, help="image of the program pack, by its digest")
    parser.add_argument("--builder", required=True, help="image of Google's buildpacks, by its digest")
    parser.add_argument("--images", type=Path, required=True, help="where to write function to image, for infra.deploy")
    parser.add_argument("--checksums", type=Path, required=True, help="where to write the digests, for the attestation")
    options = parser.parse_args(arguments)
    try:
        target = Target(options.repository, options.attestor, options.key_version, options.bills, options.commit)
        release = Release(options.dist, Tools(options.pack, options.builder), target, run_command)
        release.check_source(ROOT)
        images = release.make({name: min(found.entry_points) for name, found in load_suite().functions.items()})
    except (ReleaseError, DeploymentError, OSError, ValueError) as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    options.images.write_text(json.dumps(images, indent=2) + "\n", encoding="utf-8")
    options.checksums.write_text(checksums(images), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
