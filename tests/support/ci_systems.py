"""The ready-made snippets for CI systems, taken apart as each system does it, and run as its shell steps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "infra" / "ci"
SCRIPT = FOLDER / "driftwise-plan.sh"
_STEP_SECONDS = 120
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
_MACRO = re.compile(r"\$\((\w+)\)")
_TERRAFORM = """#!/bin/sh
# stands in for Terraform: the plan is the one that the test has
for word in "$@"; do
  case $word in
    -out=*) : >"${word#-out=}" ;;
    show) exec cat "$FAKE_PLAN" ;;
  esac
done
"""


@dataclass(frozen=True)
class Step:
    """One shell step: what runs it, its text, and variables of its own."""

    shell: tuple[str, ...]
    text: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What a system runs: steps until one fails, then what it always runs."""

    steps: Sequence[Step]
    always: Sequence[Step] = ()


@dataclass(frozen=True)
class System:
    """One CI system.

    Attributes:
        name: for people.
        file: of its snippet.
        read: takes the snippet apart, given the variables that its user sets up.
        environment: what its documentation says it sets, for one pull request.
        facts: what DriftWise is told for them.
        out: folder of the results, below the workspace.
    """

    name: str
    file: str
    read: Callable[[str, Mapping[str, str]], Job]
    environment: Mapping[str, str]
    facts: Mapping[str, str]
    out: str = "driftwise"


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    status: int
    log: str
    workspace: Path
    out: Path


def run_job(system: System, workspace: Path, plan: Path, settings: Mapping[str, str]) -> Outcome:
    """Run a system's snippet in a workspace.

    Args:
        workspace: an empty folder.
        plan: what `terraform show -json` writes.
        settings: `DRIFTWISE_URL`, `DRIFTWISE_ORG`, `DRIFTWISE_API_KEY`, as its user sets them up.
    """
    tools = workspace.parent / f"{workspace.name}-tools"
    tools.mkdir()
    terraform = tools / "terraform"
    terraform.write_text(_TERRAFORM, encoding="utf-8")
    terraform.chmod(0o755)
    for place in (workspace / "ci", tools):
        place.mkdir(exist_ok=True)
        shutil.copy(SCRIPT, place)
    text = (FOLDER / system.file).read_text("utf-8").replace("/etc/atlantis/", f"{tools}/")
    job = system.read(text, settings)
    shared = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(tools),
        "FAKE_PLAN": str(plan),
        **{name: value.replace("{workspace}", str(workspace)) for name, value in system.environment.items()},
    }
    status, log = 0, ""
    for step in job.steps:
        status, said = _run(step, workspace, shared)
        log += said
        if status != 0:
            break
    for step in job.always:
        failed, said = _run(step, workspace, shared)
        log += said
        assert failed == 0, said
    return Outcome(status, log, workspace, workspace / system.out)


def _run(step: Step, workspace: Path, shared: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [*step.shell, step.text],
        cwd=workspace, env={**shared, **step.environment}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=_STEP_SECONDS, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _github(text: str, settings: Mapping[str, str]) -> Job:
    values = {
        "vars.DRIFTWISE_URL": settings["DRIFTWISE_URL"],
        "vars.DRIFTWISE_ORG": settings["DRIFTWISE_ORG"],
        "secrets.DRIFTWISE_API_KEY": settings["DRIFTWISE_API_KEY"],
        "github.event.pull_request.head.sha": "a" * 40,
    }
    (job,) = yaml.safe_load(text)["jobs"].values()
    steps = [item for item in job["steps"] if "run" in item]
    assert not any(_EXPRESSION.search(item["run"]) for item in steps), (
        "an expression in a script is code of whoever fills it"
    )
    return Job(
        [
            Step(("bash", "-e", "-c"), item["run"], {name: _EXPRESSION.sub(lambda one: values[one[1]], value) for name, value in item.get("env", {}).items()})
            for item in steps
        ]
    )  # fmt: skip


def _gitlab(text: str, settings: Mapping[str, str]) -> Job:
    (job,) = (item for item in yaml.safe_load(text).values() if isinstance(item, dict) and "script" in item)
    variables = {**job.get("variables", {}), **settings}
    lines = [*job.get("before_script", ()), *job["script"]]
    after = "\n".join(job.get("after_script", ()))
    return Job(
        [Step(("sh", "-e", "-c"), "\n".join(lines), variables)],
        [Step(("sh", "-c"), after, variables)] if after else [],
    )


def _atlantis(text: str, settings: Mapping[str, str]) -> Job:
    document = yaml.safe_load(text)
    workflow = document["workflows"][document["repos"][0]["workflow"]]
    steps = []
    for item in workflow["plan"]["steps"]:
        if item == "plan":
            steps.append(Step(("sh", "-c"), ': >"$PLANFILE"'))  # what Atlantis does itself
        elif isinstance(item, dict):
            steps.append(Step(("sh", "-c"), item["run"]["command"], settings))
        else:
            assert item == "init"
    return Job(steps)


def _jenkins(text: str, settings: Mapping[str, str]) -> Job:
    assert [text.count(sign) for sign in "{[("] == [text.count(sign) for sign in "}])"]
    set_up = dict(re.findall(r"^ +(DRIFTWISE_\w+) = '([^']*)'$", text, re.MULTILINE))
    assert set(set_up) == {"DRIFTWISE_URL", "DRIFTWISE_ORG"}
    assert "variable: 'DRIFTWISE_API_KEY'" in text
    body, _, post = text.partition("post {")
    variables = {**set_up, **settings}
    return Job(
        [Step(("sh", "-xe", "-c"), script, variables) for script in re.findall(r"\bsh '''(.*?)'''", body, re.DOTALL)],
        [Step(("sh", "-xe", "-c"), script, variables) for script in re.findall(r"\bsh '([^']+)'", post)],
    )


def _azure(text: str, settings: Mapping[str, str]) -> Job:
    steps: list[dict[str, Any]] = [item for item in yaml.safe_load(text)["steps"] if "script" in item]
    plain = {
        name: value for name, value in settings.items() if name != "DRIFTWISE_API_KEY"
    }  # a secret is handed over by name
    return Job(
        [
            Step(("bash", "--noprofile", "--norc", "-c"), item["script"], {**plain, **{name: _MACRO.sub(lambda one: settings[one[1]], value) for name, value in item.get("env", {}).items()}})
            for item in steps
        ]
    )  # fmt: skip


_SHA = "0123456789abcdef0123456789abcdef01234567"

SYSTEMS = (
    System(
        name="GitHub Actions",
        file="github-actions.yml",
        read=_github,
        environment={
            "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "shop/infra", "GITHUB_REPOSITORY_OWNER": "shop", "GITHUB_SHA": _SHA,
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REF": "refs/pull/12/merge", "GITHUB_REF_NAME": "12/merge", "GITHUB_HEAD_REF": "open-port",
            "GITHUB_ACTOR": "ada", "GITHUB_STEP_SUMMARY": "{workspace}/summary.md",
        },
        facts={
            "repo_owner": "shop", "repo_name": "infra", "repo_url": "https://github.com/shop/infra", "pr_number": "12", "branch": "open-port",
            "commit_sha": "a" * 40, "actor": "ada",
        },
    ),
    System(
        name="GitLab CI",
        file="gitlab-ci.yml",
        read=_gitlab,
        environment={
            "CI": "true", "GITLAB_CI": "true", "CI_PROJECT_NAMESPACE": "shop/platform", "CI_PROJECT_NAME": "infra", "CI_COMMIT_SHA": _SHA,
            "CI_PROJECT_URL": "https://gitlab.com/shop/platform/infra", "CI_MERGE_REQUEST_IID": "12", "CI_COMMIT_REF_NAME": "refs/merge-requests/12/head",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "open-port", "GITLAB_USER_LOGIN": "ada",
        },
        facts={
            "repo_owner": "shop/platform", "repo_name": "infra", "repo_url": "https://gitlab.com/shop/platform/infra", "pr_number": "12", "branch": "open-port",
            "commit_sha": _SHA, "actor": "ada",
        },
    ),
    System(
        name="Atlantis",
        file="atlantis-repos.yaml",
        read=_atlantis,
        environment={
            "ATLANTIS_TERRAFORM_VERSION": "1.9.8", "DIR": "{workspace}", "PLANFILE": "{workspace}/default.tfplan", "SHOWFILE": "{workspace}/default.json",
            "BASE_REPO_OWNER": "shop", "BASE_REPO_NAME": "infra", "HEAD_BRANCH_NAME": "open-port", "HEAD_COMMIT": _SHA, "PULL_NUM": "12",
            "PULL_URL": "https://github.com/shop/infra/pull/12", "PULL_AUTHOR": "ada", "USER_NAME": "atlantis", "WORKSPACE": "blue",
            "REPO_REL_DIR": "envs/prod", "PROJECT_NAME": "network",
        },
        facts={
            "repo_owner": "shop", "repo_name": "infra", "repo_url": "https://github.com/shop/infra", "pr_number": "12", "branch": "open-port",
            "commit_sha": _SHA, "actor": "ada", "project": "network", "directory": "envs/prod", "workspace": "blue",
        },
        out=".driftwise",
    ),
    System(
        name="Jenkins",
        file="Jenkinsfile",
        read=_jenkins,
        environment={
            "JENKINS_URL": "https://jenkins.example/", "GIT_URL": "https://ci:hunter2@git.example/shop/infra.git", "GIT_COMMIT": _SHA, "BRANCH_NAME": "PR-12",
            "CHANGE_ID": "12", "CHANGE_BRANCH": "open-port", "CHANGE_AUTHOR": "ada",
        },
        facts={
            "repo_owner": "shop", "repo_name": "infra", "repo_url": "https://git.example/shop/infra.git", "pr_number": "12", "branch": "open-port",
            "commit_sha": _SHA, "actor": "ada",
        },
    ),
    System(
        name="Azure Pipelines",
        file="azure-pipelines.yml",
        read=_azure,
        environment={
            "TF_BUILD": "True", "BUILD_REPOSITORY_NAME": "infra", "BUILD_REPOSITORY_URI": "https://shop@dev.azure.com/shop/platform/_git/infra",
            "SYSTEM_TEAMPROJECT": "platform", "BUILD_SOURCEVERSION": _SHA, "BUILD_SOURCEBRANCH": "refs/pull/12/merge", "BUILD_REQUESTEDFOR": "Ada Lovelace",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "12", "SYSTEM_PULLREQUEST_SOURCEBRANCH": "refs/heads/open-port",
        },
        facts={
            "repo_owner": "platform", "repo_name": "infra", "repo_url": "https://dev.azure.com/shop/platform/_git/infra", "pr_number": "12", "branch": "open-port",
            "commit_sha": _SHA, "actor": "Ada Lovelace",
        },
    ),
)  # fmt: skip
