"""The chart and the image: least privilege, whether or not there is a `helm` to render it with.

With `helm` on PATH the rendered objects are looked at; without it, the templates' own text and the files beside them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from driftwise_operator import VERSION, rights
from driftwise_operator.kinds import KINDS

FOLDER = Path(rights.__file__).parents[1]
CHART = FOLDER / "chart"
ACCOUNT = "0190c9f0-0000-7000-8000-000000000001"
SET = {"driftwise": {"url": "https://driftwise.example", "accountId": ACCOUNT}}
HELM = shutil.which("helm")
needs_helm = pytest.mark.skipif(HELM is None, reason="there is no `helm` on PATH")


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    return found | SET


def refused(wish: dict[str, Any]) -> bool:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    return not jsonschema.Draft7Validator(schema).is_valid(wish)


def template(name: str) -> str:
    return (CHART / "templates" / name).read_text("utf-8")


@cache
def rendered(*more: str) -> list[dict[str, Any]]:
    """Render the chart; `more` are further values as `helm --set-json` takes them."""
    asked = [f"driftwise={json.dumps(SET['driftwise'])}", *more]
    command = [str(HELM), "template", "op", str(CHART), "--namespace", "driftwise"]
    command += [part for item in asked for part in ("--set-json", item)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def one(kind: str, *more: str) -> dict[str, Any]:
    (found,) = [item for item in rendered(*more) if item["kind"] == kind]
    return found


def test_the_chart_grants_what_is_read() -> None:
    assert rights.FILE.read_text("utf-8") == rights.text(), "run `python -m driftwise_operator.rights`"
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    text = template("clusterrole.yaml")
    assert set(re.findall(r"verbs: (.*)", text)) == {"[list, watch]"}
    assert "*" not in re.sub(r"#.*", "", text)


def test_the_pod_may_do_nothing_but_read_and_send() -> None:
    text = template("deployment.yaml")
    for wanted in (
        "runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false", "drop: [ALL]", "type: RuntimeDefault",
        "replicas: 1", "type: Recreate", "path: /livez", "path: /readyz", "enableServiceLinks: false",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "hostPath" not in text
    assert "secretKeyRef" not in text, (
        "keys are files: what is in the environment can be read by whoever reads the process"
    )
    assert "policyTypes: [Ingress, Egress]" in template("networkpolicy.yaml")


def test_values_are_checked_before_anything_is_installed() -> None:
    assert not refused(values())
    assert refused(values() | {"driftwise": {"url": "http://driftwise.example", "accountId": ACCOUNT}})
    assert refused(values() | {"driftwise": {"url": "https://driftwise.example", "accountId": "shop"}})
    assert refused(values() | {"image": {"repository": "x", "digest": "sha256:1"}})
    assert refused(values() | {"furtherKinds": [{"kind": "*", "group": "*", "version": "v1", "plural": "*"}]})
    assert refused(values() | {"apiKey": {"value": "dw2_x"}}), "a key is no value of a chart"
    assert refused(values() | {"repilcas": 2})


def test_the_chart_and_the_operator_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_the_image_is_pinned_and_runs_as_nobody() -> None:
    lines = (FOLDER / "Dockerfile").read_text("utf-8").splitlines()
    bases = [line for line in lines if line.startswith("FROM ")]
    assert bases
    assert all(re.search(r"@sha256:[0-9a-f]{64}( AS \w+)?$", line) for line in bases)
    assert "USER 65532:65532" in lines
    assert any("--require-hashes" in line for line in lines)
    named = set((FOLDER / "requirements.in").read_text("utf-8").split()) & {"httpx", "pyyaml"}
    locked = (FOLDER / "requirements.txt").read_text("utf-8")
    assert all(re.search(rf"^{name}==", locked, re.MULTILINE) for name in named)
    assert len(re.findall(r"--hash=sha256:", locked)) >= len(re.findall(r"^[a-z].*==", locked, re.MULTILINE))


@needs_helm
def test_rendered_rights_are_the_kinds_that_are_read() -> None:
    rules = one("ClusterRole")["rules"]
    granted = {(group, name) for rule in rules for group in rule["apiGroups"] for name in rule["resources"]}
    assert granted == {(kind.group, kind.plural) for kind in KINDS}
    assert all(rule["verbs"] == ["list", "watch"] for rule in rules)


@needs_helm
def test_rendered_rights_follow_the_wishes() -> None:
    tabs = {"kind": "CronTab", "group": "stable.example.com", "version": "v1", "plural": "crontabs"}
    wishes = ('withoutKinds=["Secret"]', f"furtherKinds={json.dumps([tabs])}")
    rules = one("ClusterRole", *wishes)["rules"]
    names = {name for rule in rules for name in rule["resources"]}
    assert "secrets" not in names
    assert "crontabs" in names
    (container,) = one("Deployment", *wishes)["spec"]["template"]["spec"]["containers"]
    told = {item["name"]: item["value"] for item in container["env"]}
    assert told["DRIFTWISE_WITHOUT_KINDS"] == "Secret"
    assert json.loads(told["DRIFTWISE_FURTHER_KINDS"]) == [tabs]


@needs_helm
def test_the_rendered_pod_is_bound() -> None:
    pod = one("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "privileged": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["resources"]["limits"]["memory"]
    assert {volume["name"] for volume in pod["volumes"]} == {"api-key", "digest-key"}
    assert container["image"] == f"driftwise/operator:{VERSION}"
    digest = f"sha256:{'a' * 64}"
    (pinned,) = one("Deployment", f'image.digest="{digest}"')["spec"]["template"]["spec"]["containers"]
    assert pinned["image"] == f"driftwise/operator@{digest}"
    assert one("NetworkPolicy")["spec"]["policyTypes"] == ["Ingress", "Egress"]
    key = one("Secret")
    assert len(key["data"]["digest-key"]) > 40
    assert key["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@needs_helm
def test_a_chart_without_an_address_is_not_rendered() -> None:
    done = subprocess.run(
        [str(HELM), "template", "op", str(CHART)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "accountId" in done.stderr
