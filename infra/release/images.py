"""Makes the images of a release: build, push, scan, keep the bill of materials, sign. In this order: what is signed has passed everything.

Who may push, write bills and sign is said by Terraform (`terraform/modules/supply_chain`): the build job of CI and nobody else.
Source: infra/adr/0044-supply-chain.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.build.bundle import JOBS
from infra.deploy.platform import Run

_PINNED = re.compile(r"[a-z0-9.-]+(?::[0-9]+)?/[a-z0-9/._-]+@sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REFUSED = frozenset({"CRITICAL", "HIGH"})


class ReleaseError(Exception):
    """An image must not be made, or must not run; the text says why."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What images are made with, by digest.

    Attributes:
        pack: image of the program `pack` (https://buildpacks.io).
        builder: image of Google's buildpacks.
    """

    pack: str
    builder: str

    def __post_init__(self) -> None:
        """Refuse what is not named by its digest."""
        for image in (self.pack, self.builder):
            if not _PINNED.fullmatch(image):
                raise ReleaseError(f"{image} is not named by its digest")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a release goes.

    Attributes:
        repository: address of the repository of images, without a trailing slash.
        attestor: resource name of the attestor: projects/P/attestors/A.
        key_version: resource name of the version of the key that signs.
        bills: the bucket of bills of materials, without `gs://`.
        commit: full hash of the commit.
    """

    repository: str
    attestor: str
    key_version: str
    bills: str
    commit: str

    def __post_init__(self) -> None:
        """Refuse what is not a commit."""
        if not _COMMIT.fullmatch(self.commit):
            raise ReleaseError(f"{self.commit!r} is not the full hash of a commit")


class Release:
    """The images of one commit."""

    def __init__(self, dist: Path, tools: Tools, target: Target, run: Run) -> None:
        """Set up.

        Args:
            dist: the folder of bundles, as `make bundle` leaves it.
            tools: what to build with.
            target: where to.
            run: runs a program in a folder and returns what it printed.
        """
        self._dist = dist
        self._tools = tools
        self._target = target
        self._run = run

    def check_source(self, root: Path) -> None:
        """See that what is built is the commit and nothing else.

        Raises:
            ReleaseError: something was changed, or another commit is checked out.
        """
        if changed := self._run(["git", "status", "--porcelain"], root).strip():
            raise ReleaseError(f"not the commit alone: {changed.splitlines()[0]}")
        if (found := self._run(["git", "rev-parse", "HEAD"], root).strip()) != self._target.commit:
            raise ReleaseError(f"{found} is checked out, not {self._target.commit}")

    def make(self, entry_points: Mapping[str, str]) -> dict[str, str]:
        """Make every image.

        Args:
            entry_points: function to one of its entry points; the buildpack wants one, the platform says which is run.

        Returns:
            Bundle to image, by its digest.

        Raises:
            ReleaseError: a bundle is not the one of the manifest, or an image has vulnerabilities that can be mended.
        """
        bundles = self._bundles()
        if unknown := sorted(set(bundles) ^ {*entry_points, *JOBS}):
            raise ReleaseError(f"bundles and suite differ: {', '.join(unknown)}")
        images = {name: self._build(name, archive, entry_points.get(name)) for name, archive in bundles.items()}
        for image in images.values():
            self._scan(image)
        for name, image in images.items():
            self._keep_bill(name, image)
            self._sign(image)
        return images

    def _bundles(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for bundle in json.loads((self._dist / "manifest.json").read_text("utf-8"))["bundles"]:
            archive = self._dist / bundle["file"]
            if hashlib.sha256(archive.read_bytes()).hexdigest() != bundle["sha256"]:
                raise ReleaseError(f"{archive.name} is not the bundle that the manifest names")
            found[bundle["name"]] = archive
        return found

    def _build(self, name: str, archive: Path, entry_point: str | None) -> str:
        tag = f"{self._target.repository}/{name}:{self._target.commit}"
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder)
            self._run(self._pack(tag, Path(folder), entry_point), self._dist)
        self._run(["docker", "push", "--quiet", tag], self._dist)
        digests = json.loads(
            self._run(["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", tag], self._dist)
        )
        found = [item for item in digests if item.startswith(f"{self._target.repository}/{name}@sha256:")]
        if len(found) != 1:
            raise ReleaseError(f"{tag} was pushed and has no digest")
        return str(found[0])

    def _pack(self, tag: str, source: Path, entry_point: str | None) -> list[str]:
        """Return the command that builds: `pack` from its own image, with the machine's Docker and without anybody's credentials."""
        docker = ["docker", "run", "--rm", "--user=root", "--volume=/var/run/docker.sock:/var/run/docker.sock"]
        build = ["build", tag, "--path=/source", f"--builder={self._tools.builder}", "--trust-builder"]
        environment = [f"--env=GOOGLE_FUNCTION_TARGET={entry_point}"] if entry_point else []
        return [*docker, f"--volume={source}:/source:ro", self._tools.pack, *build, *environment]

    def _scan(self, image: str) -> None:
        """Refuse an image with a grave vulnerability for which there is a fix."""
        images = ["gcloud", "artifacts", "docker", "images"]
        scan = self._run([*images, "scan", image, "--remote", "--format=value(response.scan)"], self._dist).strip()
        if not scan:
            raise ReleaseError(f"{image} was not scanned")
        found = json.loads(self._run([*images, "list-vulnerabilities", scan, "--format=json"], self._dist))
        if grave := sorted(set(_grave(found))):
            raise ReleaseError(f"{image}: {', '.join(grave)}")

    def _keep_bill(self, name: str, image: str) -> None:
        """Put the bill of materials where nobody can change it; a second try finds it there."""
        digest = image.partition("@sha256:")[2]
        kept = f"gs://{self._target.bills}/{name}/{digest}.cdx.json"
        self._run(["gcloud", "storage", "cp", "--no-clobber", str(self._dist / f"{name}.cdx.json"), kept], self._dist)

    def _sign(self, image: str) -> None:
        command = [
            "gcloud",
            "beta",
            "container",
            "binauthz",
            "attestations",
            "sign-and-create",
            f"--artifact-url={image}",
        ]
        self._run(
            [*command, f"--attestor={self._target.attestor}", f"--keyversion={self._target.key_version}"], self._dist
        )


def checksums(images: Mapping[str, str]) -> str:
    """Return images and digests in the form of `sha256sum`, for whoever attests where they come from."""
    return "".join(f"{image.partition('@sha256:')[2]}  {image.partition('@')[0]}\n" for image in images.values())


def _grave(found: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    for item in found:
        known = item.get("vulnerability", {})
        if known.get("effectiveSeverity", known.get("severity")) in _REFUSED and known.get("fixAvailable"):
            yield str(item.get("noteName", "")).rpartition("/")[2] or "a vulnerability without a name"
