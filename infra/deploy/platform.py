"""The platform by its own tools: Terraform for what there is, gcloud for what must not wait for a plan."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .rollout import DeploymentError

RELEASE_FILE = "release.auto.tfvars.json"
_STEP_SECONDS = 3600
Run = Callable[[Sequence[str], Path], str]


def run_command(command: Sequence[str], place: Path) -> str:
    """Run a program and return what it printed.

    Raises:
        DeploymentError: it failed; the message holds the end of what it said.
    """
    try:
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=_STEP_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise DeploymentError(f"{' '.join(command[:4])}: {done.stderr[-2000:].strip()}")
    return done.stdout


class GooglePlatform:
    """One environment of `terraform/envs`, initialised, whose variables are in place."""

    def __init__(self, environment: Path, project: str, region: str, run: Run = run_command) -> None:
        """Set up.

        Args:
            environment: the environment's folder.
            project: project id.
            region: the suite's region.
            run: runs a program in a folder.
        """
        self._environment = environment
        self._place = [f"--project={project}", f"--region={region}", "--quiet"]
        self._run = run

    def serving(self) -> dict[str, str]:
        return self._revisions("serving_revisions")

    def migrate(self, image: str) -> None:
        job = self._outputs()["migrations_job"]["value"]
        self._gcloud("run", "jobs", "update", str(job), f"--image={image}")
        self._gcloud("run", "jobs", "execute", str(job), "--wait")

    def apply(self, images: Mapping[str, str], stable: Mapping[str, str], percent: int) -> dict[str, str]:
        release = {"images": dict(images), "stable_revisions": dict(stable), "canary_percent": percent}
        (self._environment / RELEASE_FILE).write_text(json.dumps(release, indent=2) + "\n", encoding="utf-8")
        self._terraform("apply", "-auto-approve", "-input=false", "-no-color")
        return self._revisions("revisions")

    def send_everything_to(self, revisions: Mapping[str, str]) -> None:
        failed: list[str] = []
        for service, revision in revisions.items():
            try:
                self._gcloud("run", "services", "update-traffic", service, f"--to-revisions={revision}=100")
            except DeploymentError as error:  # the others must go back all the same
                failed.append(str(error))
        if failed:
            raise DeploymentError("not everything went back: " + "; ".join(failed))

    def _revisions(self, output: str) -> dict[str, str]:
        found = self._outputs().get(output, {}).get("value", {})
        return {str(service): str(revision) for service, revision in found.items()}

    def _outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._terraform("output", "-json"))
        return found

    def _terraform(self, *arguments: str) -> str:
        return self._run(["terraform", *arguments], self._environment)

    def _gcloud(self, *arguments: str) -> str:
        return self._run(["gcloud", *arguments, *self._place], self._environment)
