"""Planted defects: for each check a small tree that it must find something in, made when it is needed and never kept.

What would be found in this file itself is put together at run time.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
import zipfile
from collections.abc import Mapping
from pathlib import Path

# A release with vulnerabilities that every database knows: https://osv.dev/vulnerability/GHSA-562c-5r94-xh97 and later ones.
VULNERABLE = ("flask", "0.12")
VULNERABLE_PACKAGE = ("lodash", "4.17.4")  # https://github.com/advisories/GHSA-jf85-cpcp-j695 and later ones


def put(root: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder.

    Args:
        root: the folder.
        files: path to text.
    """
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def shell(root: Path) -> None:
    """Plant a program that a shell starts, with a caller's words in it."""
    source = "import subprocess\n\n\ndef ping(host: str) -> None:\n    subprocess.call('ping ' + host, shell=True)\n"
    put(root, {"functions/planted.py": source})


def house(root: Path) -> None:
    """Plant one breach of each rule of the house, in a page and in a function."""
    page = (
        "export function show(place, text) {\n"
        "  place.innerHTML = text;\n"
        "  localStorage.setItem('token', text);\n"
        "  window.parent.postMessage(text, '*');\n"
        "}\n"
    )
    source = (
        "import pickle\nimport ssl\nimport subprocess\n\nfrom sqlalchemy import text\n\n\n"
        "def handle(request, connection):\n"
        "    name = request.args['name']\n"
        "    subprocess.run(['/bin/echo', name])\n"
        "    connection.execute(text('select ' + name))\n"
        "    ssl._create_unverified_context()\n"
        "    return pickle.loads(name)\n"
    )
    put(root, {"functions/console/static/planted.js": page, "functions/planted.py": source})


def key(root: Path) -> None:
    """Plant a cloud's access key."""
    made = "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
    put(root, {"functions/planted.py": f'CREDENTIALS = "{made}"\n'})


def vulnerable(root: Path) -> None:
    """Plant a pinned release with known vulnerabilities."""
    name, version = VULNERABLE
    put(root, {"requirements.txt": f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n"})


def vulnerable_package(root: Path) -> None:
    """Plant a locked package of npm with known vulnerabilities."""
    name, version = VULNERABLE_PACKAGE
    package = {"name": "planted", "version": "1.0.0", "private": True, "dependencies": {name: version}}
    packages = {"": package, f"node_modules/{name}": {"version": version}}
    lock = {"name": "planted", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    put(root, {"package.json": json.dumps(package), "package-lock.json": json.dumps(lock)})


def copyleft(root: Path) -> None:
    """Plant a locked and installed distribution under a licence that asks for our own source."""
    metadata = "Metadata-Version: 2.4\nName: planted\nVersion: 1.0\nLicense-Expression: AGPL-3.0-only\n"
    put(
        root,
        {
            "requirements.txt": f"planted==1.0 \\\n    --hash=sha256:{'0' * 64}\n",
            ".venv/lib/python3.11/site-packages/planted-1.0.dist-info/METADATA": metadata,
        },
    )


def bill(root: Path) -> None:
    """Plant a bundle whose bill of materials is no CycloneDX and leaves out what the bundle pins."""
    folder = root / "dist"
    text = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "planted"}]})
    put(folder, {"planted.cdx.json": text})
    with zipfile.ZipFile(folder / "planted.zip", "w") as archive:
        archive.writestr("sbom.cdx.json", text)
        archive.writestr("requirements.txt", "flask==0.12\n")
    digest = hashlib.sha256((folder / "planted.zip").read_bytes()).hexdigest()
    bundle = {"name": "planted", "file": "planted.zip", "sha256": digest, "size_bytes": 0}
    put(folder, {"manifest.json": json.dumps({"bundles": [bundle]})})


def unpinned(root: Path) -> None:
    """Plant a workflow with an action by its tag, and a stranger's title in a script."""
    steps = "      - uses: actions/checkout@v5\n      - run: echo ${{ github.event.pull_request.title }}\n"
    head = "on: pull_request_target\njobs:\n  planted:\n    runs-on: ubuntu-latest\n    steps:\n"
    put(root, {".github/workflows/planted.yml": head + steps})


def no_workflow(root: Path) -> None:
    """Plant a workflow that GitHub would not take, and a build that Cloud Build would not."""
    put(
        root,
        {
            ".github/workflows/planted.yml": "on: push\njobs:\n  planted:\n    runs-on: ubuntu-latest\n    stepz: []\n",
            "infra/release/cloudbuild.yaml": "steps: none\n",
        },
    )


def rewriting(root: Path) -> None:
    """Plant a migration that rewrites a table under a lock and drops a column that running releases read."""
    statements = "alter table core.orgs alter column name type varchar(9);\nalter table core.orgs drop column name;\n"
    put(root, {"infra/migrations/9000_planted.sql": f"-- planted\n{statements}"})


def public_bucket(root: Path) -> None:
    """Plant a bucket that everybody may read."""
    public = 'resource "google_storage_bucket_iam_member" "planted" {\n  bucket = "b"\n  role = "roles/storage.objectViewer"\n  member = "allUsers"\n}\n'
    bucket = 'resource "google_storage_bucket" "planted" {\n  name = "b"\n  location = "EU"\n}\n'
    put(root, {"terraform/main.tf": bucket + public})
