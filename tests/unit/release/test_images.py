"""Images of a release: only of the commit, in order, signed last, and none with a grave vulnerability that can be mended."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.build.bundle import JOBS
from infra.release import images
from infra.release.images import Release, ReleaseError, Target, Tools, checksums

COMMIT = "c" * 40
REPOSITORY = "europe-west4-docker.pkg.dev/some-project/driftwise"
TOOLS = Tools(f"docker.io/buildpacksio/pack@sha256:{'1' * 64}", f"gcr.io/buildpacks/builder@sha256:{'2' * 64}")
TARGET = Target(
    REPOSITORY, "projects/some-project/attestors/ci", "projects/p/k/cryptoKeyVersions/1", "some-sboms", COMMIT
)
NAMES = ("keys", *JOBS)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Programs:
    """Answers as git, Docker and gcloud would; keeps what was asked."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.changed = ""
        self.vulnerabilities: list[dict[str, Any]] = []
        self.packed: dict[str, list[str]] = {}

    def __call__(self, command: Sequence[str], place: Path) -> str:
        self.commands.append(list(command))
        match command:
            case ["git", "status", *_]:
                return self.changed
            case ["git", "rev-parse", *_]:
                return f"{COMMIT}\n"
            case ["docker", "run", *options]:
                (volume,) = [item for item in options if item.endswith(":/source:ro")]
                folder = Path(volume.removeprefix("--volume=").removesuffix(":/source:ro"))
                self.packed[options[options.index("build") + 1]] = sorted(item.name for item in folder.iterdir())
                return ""
            case ["docker", "image", "inspect", *_, tag]:
                name = tag.rpartition("/")[2].partition(":")[0]
                return json.dumps(
                    [f"elsewhere.example/{name}@sha256:{'9' * 64}", f"{REPOSITORY}/{name}@sha256:{digest(name)}"]
                )
            case ["gcloud", "artifacts", "docker", "images", "scan", *_]:
                return "projects/p/locations/europe/scans/1\n"
            case ["gcloud", "artifacts", "docker", "images", "list-vulnerabilities", *_]:
                return json.dumps(self.vulnerabilities)
            case _:
                return ""

    def of(self, *words: str) -> list[int]:
        return [number for number, command in enumerate(self.commands) if set(words) <= set(command)]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    bundles = []
    for name in NAMES:
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr("main.py", name)
        content = (tmp_path / f"{name}.zip").read_bytes()
        bundles.append({"name": name, "file": f"{name}.zip", "sha256": hashlib.sha256(content).hexdigest()})
    (tmp_path / "manifest.json").write_text(json.dumps({"bundles": bundles}))
    return tmp_path


@pytest.fixture
def programs() -> Programs:
    return Programs()


@pytest.fixture
def release(dist: Path, programs: Programs) -> Release:
    return Release(dist, TOOLS, TARGET, programs)


def test_every_image_is_built_from_its_bundle_and_named_by_its_digest(release: Release, programs: Programs) -> None:
    made = release.make({"keys": "keys"})
    assert made == {name: f"{REPOSITORY}/{name}@sha256:{digest(name)}" for name in NAMES}
    assert programs.packed == {f"{REPOSITORY}/{name}:{COMMIT}": ["main.py"] for name in NAMES}
    (keys, *jobs) = [programs.commands[number] for number in programs.of("build", TOOLS.pack)]
    assert "--env=GOOGLE_FUNCTION_TARGET=keys" in keys
    assert not any("FUNCTION_TARGET" in word for job in jobs for word in job)


def test_what_is_signed_was_scanned_before_and_its_bill_is_kept(
    release: Release, programs: Programs, dist: Path
) -> None:
    made = release.make({"keys": "keys"})
    assert max(programs.of("scan")) < min(programs.of("sign-and-create"))
    for name, image in made.items():
        (kept,) = programs.of("storage", "cp", f"gs://some-sboms/{name}/{digest(name)}.cdx.json")
        (signed,) = programs.of("sign-and-create", f"--artifact-url={image}", f"--attestor={TARGET.attestor}")
        assert kept < signed
        assert programs.commands[kept][4] == str(dist / f"{name}.cdx.json")
        assert "--no-clobber" in programs.commands[kept]  # a second try finds the bill of the first


@pytest.mark.parametrize(
    ("vulnerability", "refused"),
    [
        ({"effectiveSeverity": "CRITICAL", "fixAvailable": True}, True),
        ({"effectiveSeverity": "LOW", "severity": "CRITICAL", "fixAvailable": True}, False),
        ({"severity": "HIGH", "fixAvailable": True}, True),
        ({"severity": "HIGH", "fixAvailable": False}, False),
        ({"severity": "MEDIUM", "fixAvailable": True}, False),
    ],
)
def test_a_grave_vulnerability_with_a_fix_is_signed_by_nobody(
    release: Release, programs: Programs, vulnerability: dict[str, Any], refused: bool
) -> None:
    programs.vulnerabilities = [{"noteName": "projects/goog-vulnz/notes/CVE-2026-1", "vulnerability": vulnerability}]
    if refused:
        with pytest.raises(ReleaseError, match="CVE-2026-1"):
            release.make({"keys": "keys"})
    else:
        release.make({"keys": "keys"})
    assert bool(programs.of("sign-and-create")) is not refused


def test_a_bundle_that_was_changed_after_it_was_built_is_refused(
    release: Release, programs: Programs, dist: Path
) -> None:
    (dist / "keys.zip").write_bytes(b"another")
    with pytest.raises(ReleaseError, match="manifest"):
        release.make({"keys": "keys"})
    assert programs.commands == []


def test_the_suite_and_the_bundles_are_the_same(release: Release) -> None:
    with pytest.raises(ReleaseError, match="scan"):
        release.make({"keys": "keys", "scan": "scan"})


def test_only_the_commit_is_built(release: Release, programs: Programs, dist: Path) -> None:
    release.check_source(dist)
    programs.changed = " M functions/keys/domain.py\n"
    with pytest.raises(ReleaseError, match="not the commit alone"):
        release.check_source(dist)


def test_another_commit_is_not_built(programs: Programs, dist: Path) -> None:
    target = Target(REPOSITORY, TARGET.attestor, TARGET.key_version, TARGET.bills, "d" * 40)
    with pytest.raises(ReleaseError, match="is checked out"):
        Release(dist, TOOLS, target, programs).check_source(dist)


@pytest.mark.parametrize(
    "image", ["gcr.io/buildpacks/builder", "gcr.io/buildpacks/builder:v1", f"builder@sha256:{'1' * 63}"]
)
def test_tools_are_named_by_their_digest(image: str) -> None:
    with pytest.raises(ReleaseError, match="digest"):
        Tools(image, TOOLS.builder)
    with pytest.raises(ReleaseError, match="digest"):
        Tools(TOOLS.pack, image)


def test_a_branch_is_no_commit() -> None:
    with pytest.raises(ReleaseError, match="full hash"):
        Target(REPOSITORY, TARGET.attestor, TARGET.key_version, TARGET.bills, "main")


def test_digests_are_handed_on_as_sha256sum_writes_them(release: Release) -> None:
    made = release.make({"keys": "keys"})
    assert checksums(made).splitlines()[0] == f"{digest('keys')}  {REPOSITORY}/keys"
    assert images.JOBS.keys() <= made.keys()
