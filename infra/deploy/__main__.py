"""Rolls a release out: `python -m infra.deploy --project P --region R --images images.json [--environment terraform/envs/example]`.

Ends with 0 when the new revisions serve everybody, with 1 when it went back or failed. Runbook: infra/runbooks/roll-out.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path

from infra.build.bundle import JOBS
from infra.suite import load_suite

from .canary import Objective
from .monitoring import CloudMonitoring
from .platform import GooglePlatform
from .rollout import DeploymentError, Rollout

ROOT = Path(__file__).parents[2]
_PINNED = re.compile(r"[a-z0-9-]+-docker\.pkg\.dev/[a-z0-9/_-]+@sha256:[0-9a-f]{64}")


def read_images(text: str, needed: frozenset[str]) -> dict[str, str]:
    """Read function to image.

    Raises:
        ValueError: one is missing or too many, or is not named by its digest.
    """
    found = json.loads(text)
    if not isinstance(found, dict) or set(found) != needed:
        raise ValueError(f"name an image for each of {', '.join(sorted(needed))}, and for nothing else")
    for name, image in found.items():
        if not isinstance(image, str) or not _PINNED.fullmatch(image):
            raise ValueError(f"{name}: {image} is not named by its digest")
    return dict(found)


def main(arguments: list[str] | None = None) -> int:
    """Roll out; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy", description="Roll a release out, and back when it fails."
    )
    parser.add_argument("--project", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--images", type=Path, required=True, help="JSON: function or job to its image, by digest")
    parser.add_argument("--environment", type=Path, default=ROOT / "terraform" / "envs" / "example")
    parser.add_argument("--availability", type=float, default=0.999, help="the objective (default: 0.999)")
    parser.add_argument("--step-seconds", type=float, default=600, help="how long each share is watched (default: 600)")
    options = parser.parse_args(arguments)
    needed = frozenset(load_suite().functions) | frozenset(JOBS)
    try:
        images = read_images(options.images.read_text("utf-8"), needed)
        rollout = Rollout(
            GooglePlatform(options.environment, options.project, options.region),
            CloudMonitoring(options.project),
            Objective(options.availability, options.step_seconds),
            time.sleep,
        )
        return 0 if rollout.release(images) else 1
    except (DeploymentError, ValueError, OSError) as error:
        sys.stderr.write(f"deploy: {error}\n")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
