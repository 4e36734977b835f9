"""The script that every CI snippet runs: in every shell, with every answer, and with a key that nobody sees."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.analyses import analysis, finding
from tests.support.ci_systems import SCRIPT
from tests.support.plan_service import KEY, ORG, PlanService, plan_service

PLAN = b'{"format_version": "1.2", "resource_changes": []}\n'
FILES = {"analysis.json", "analysis.sarif", "analysis.md", "analysis.junit.xml"}
SHELLS = {
    "sh": ["sh"],
    "traced": ["sh", "-x"],
    "dash": ["dash"],
    "busybox": ["busybox", "sh"],
    "bash": ["bash", "--posix"],
}


@pytest.fixture
def service() -> Iterator[PlanService]:
    with plan_service(analysis(finding(), finding(id="b", severity="low", address="aws_x.low"))) as found:
        yield found


class Caller:
    """Calls the script in a folder of its own."""

    def __init__(self, folder: Path, service: PlanService) -> None:
        self.folder = folder
        self.plan = folder / "plan.json"
        self.plan.write_bytes(PLAN)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "DRIFTWISE_URL": service.url,
            "DRIFTWISE_ORG": ORG,
            "DRIFTWISE_API_KEY": KEY,
            "DRIFTWISE_PAUSE_SECONDS": "0",
        }

    def __call__(
        self, *arguments: str, shell: str = "sh", stdin: bytes = b"", **environment: str | None
    ) -> tuple[int, str]:
        if shutil.which(SHELLS[shell][0]) is None:
            pytest.skip(f"no {shell} on this machine")
        variables = {name: value for name, value in {**self.environment, **environment}.items() if value is not None}
        done = subprocess.run(
            [*SHELLS[shell], str(SCRIPT), *arguments],
            cwd=self.folder, env=variables, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
        )  # fmt: skip
        said = done.stdout.decode()
        assert KEY not in said, "the key is in the log"
        return done.returncode, said

    def written(self, out: str = "driftwise") -> set[str]:
        folder = self.folder / out
        return {item.name for item in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture
def call(tmp_path: Path, service: PlanService) -> Caller:
    return Caller(tmp_path, service)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_plan_under_the_gate_goes_on(call: Caller, service: PlanService, shell: str) -> None:
    status, said = call("--fail-on", "critical", "plan.json", shell=shell)
    assert (status, call.written()) == (0, FILES), said
    assert "DriftWise: high risk" in said
    assert "1 to change; 1 high finding." in said
    (asked,) = service.judged
    assert asked.body == PLAN
    assert asked.headers["content-type"] == "application/json"
    assert asked.query == {"fail_on": "critical"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_plan_over_the_gate_stops_the_job_and_is_told(call: Caller, service: PlanService, shell: str) -> None:
    status, said = call("plan.json", shell=shell)
    assert (status, call.written()) == (1, FILES), said
    assert "stopped, as the gate is at high" in said
    assert '  - A port is opened to public networks: module.web["a"].aws_security_group.main' in said
    assert "aws_x.low" not in said
    assert service.judged[0].query == {"fail_on": "high"}
    folder = call.folder / "driftwise"
    assert json.loads((folder / "analysis.json").read_bytes())["id"] == service.answer["id"]
    assert json.loads((folder / "analysis.sarif").read_bytes())["version"] == "2.1.0"
    assert (folder / "analysis.md").read_text("utf-8").splitlines()[2] == "## DriftWise: high risk"
    assert b"<failure " in (folder / "analysis.junit.xml").read_bytes()


def test_never_asks_for_no_gate(call: Caller, service: PlanService) -> None:
    status, _ = call("--fail-on=never", "--out", "somewhere/else", "plan.json")
    assert (status, call.written("somewhere/else")) == (0, FILES)
    assert service.judged[0].query == {}


def test_a_plan_may_come_by_standard_input(call: Caller, service: PlanService) -> None:
    status, _ = call("--fail-on", "never", "-", stdin=PLAN * 3)
    assert status == 0
    assert service.judged[0].body == PLAN * 3


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes cannot be looked at here")
@pytest.mark.parametrize("shell", SHELLS)
def test_the_key_is_in_no_command_line_and_in_no_environment_below(
    call: Caller, service: PlanService, shell: str
) -> None:
    call("plan.json", shell=shell)
    assert service.asked[0].headers["x-api-key"] == KEY
    assert service.seen_keys == []


@pytest.mark.parametrize("status", [0, 429, 502, 503, 504])
def test_what_may_pass_is_tried_again_and_carried_out_once(call: Caller, service: PlanService, status: int) -> None:
    service.first = [(status, {}, b""), (status, {"Retry-After": "1"}, b"")]
    assert call("plan.json")[0] == 1
    keys = {item.headers["idempotency-key"] for item in service.judged}
    assert len(service.judged) == 3
    assert len(keys) == 1
    assert len(keys.pop()) == 32


def test_a_pause_that_is_asked_for_is_kept(call: Caller, service: PlanService) -> None:
    service.first = [(503, {"Retry-After": "2"}, b"")]
    status, said = call("plan.json")
    assert status == 1
    assert "once more in 2 s" in said


def test_a_pause_beyond_the_time_there_is_ends_it_at_once(call: Caller, service: PlanService) -> None:
    service.first = [(429, {"retry-after": "3600"}, b"")]
    status, said = call("plan.json", DRIFTWISE_TIMEOUT_SECONDS="30")
    assert (status, call.written()) == (3, set())
    assert "3600 seconds to wait" in said
    assert len(service.asked) == 1


def test_a_service_that_stays_away_is_given_up(call: Caller, service: PlanService) -> None:
    service.first = [(503, {}, b"")] * 20
    status, said = call("plan.json")
    assert (status, call.written()) == (3, set())
    assert "no answer after 6 tries: status 503" in said
    assert len(service.asked) == 6


def test_nobody_there_is_said_in_curls_words(call: Caller) -> None:
    status, said = call("plan.json", DRIFTWISE_URL="http://127.0.0.1:1")
    assert status == 3
    assert "Failed to connect" in said or "Couldn't connect" in said


def test_results_that_cannot_be_fetched_are_an_error_also_over_the_gate(call: Caller, service: PlanService) -> None:
    answered = service.answer
    assert call("plan.json")[0] == 1
    service.answer = {**answered, "id": "short"}
    status, said = call("plan.json")
    assert (status, call.written()) == (3, set())
    assert "is DRIFTWISE_URL right?" in said


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 413, 422])
def test_a_refusal_is_the_callers_to_mend_and_told(call: Caller, service: PlanService, status: int) -> None:
    body = {
        "code": "plan_unreadable",
        "title": "The plan cannot be read",
        "status": status,
        "detail": 'looks like a "state", not a plan',
    }
    service.first = [(status, {"Content-Type": "application/problem+json"}, json.dumps(body).encode())]
    found, said = call("plan.json")
    assert (found, call.written()) == (2, set())
    assert f"refused with status {status} (plan_unreadable) looks like a" in said
    assert len(service.asked) == 1


def test_a_wrong_key_is_told_and_not_shown(call: Caller) -> None:
    status, said = call("plan.json", DRIFTWISE_API_KEY="dw2_other_key")
    assert status == 2
    assert "(unauthenticated) The key is not one, or not one any more." in said
    assert "dw2_other_key" not in said


def test_what_others_write_is_no_command_of_the_ci_system(call: Caller, service: PlanService) -> None:
    hostile = "::error::x\n##vso[task.setvariable variable=a]b\x1b[2J"
    service.answer = analysis(finding(title=hostile, address=hostile), summary=hostile)
    status, said = call("plan.json")
    assert status == 1
    assert not any(sign in said for sign in ("::", "##", "\x1b"))
    service.first = [(422, {}, json.dumps({"code": "plan_unreadable", "detail": hostile}).encode())]
    assert not any(sign in call("plan.json")[1] for sign in ("::", "##", "\x1b"))


def test_results_of_an_earlier_run_are_not_left_lying(call: Caller, service: PlanService) -> None:
    assert call("plan.json")[0] == 1
    service.first = [(422, {}, b"{}")]
    assert call("plan.json")[0] == 2
    assert call.written() == set()


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        ([], {}, "usage:"),
        (["--fail-on"], {}, "needs a value"),
        (["--fail-on", "severe", "plan.json"], {}, "--fail-on is one of"),
        (["--loud", "plan.json"], {}, "unknown option: --loud"),
        (["plan.json", "plan.json"], {}, "one plan at a time"),
        (["nowhere.json"], {}, "no such plan"),
        (["empty.json"], {}, "the plan is empty"),
        (["large.json"], {}, "over 32 MiB"),
        (["plan.json"], {"DRIFTWISE_URL": None}, "DRIFTWISE_URL is not set"),
        (["plan.json"], {"DRIFTWISE_URL": "http://driftwise.example"}, "does not begin with https://"),
        (["plan.json"], {"DRIFTWISE_URL": "ftp://driftwise.example"}, "does not begin with https://"),
        (["plan.json"], {"DRIFTWISE_URL": "http://localhost:1@driftwise.example"}, "not a plain address"),
        (["plan.json"], {"DRIFTWISE_URL": "https://driftwise.example\nx"}, "not a plain address"),
        (["plan.json"], {"DRIFTWISE_ORG": None}, "DRIFTWISE_ORG is not set"),
        (["plan.json"], {"DRIFTWISE_ORG": "../x"}, "DRIFTWISE_ORG is not set, or not an id"),
        (["plan.json"], {"DRIFTWISE_API_KEY": None}, "DRIFTWISE_API_KEY is not set"),
        (
            ["plan.json"],
            {"DRIFTWISE_API_KEY": 'x"\nurl = "http://evil.example'},
            "DRIFTWISE_API_KEY is not set, or not a key",
        ),
        (["plan.json"], {"DRIFTWISE_TIMEOUT_SECONDS": "soon"}, "not a whole number"),
    ],
)
@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_what_is_called_wrongly_is_told_and_nothing_is_sent(
    call: Caller, service: PlanService, arguments: list[str], environment: dict[str, Any], told: str, shell: str
) -> None:
    (call.folder / "empty.json").touch()
    with (call.folder / "large.json").open("wb") as file:
        file.truncate(32 * 1024 * 1024 + 1)
    status, said = call(*arguments, shell=shell, **environment)
    assert status == 2, said
    assert told in said
    assert service.asked == []


def test_help_is_no_error(call: Caller) -> None:
    status, said = call("--help")
    assert status == 0
    assert "--fail-on" in said


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_where_a_plan_comes_from_may_be_told_and_anything_may_stand_in_it(
    call: Caller, service: PlanService, shell: str
) -> None:
    branch = "fix/ä&b=c%20d #1 \"'$(id)`id`"
    call(
        "plan.json", shell=shell, DRIFTWISE_BRANCH=branch, DRIFTWISE_REPO_NAME="infra", DRIFTWISE_REPO_URL="https://u:p@git.example/a",
        DRIFTWISE_PR_NUMBER="12; id", DRIFTWISE_COMMIT_SHA="not hex", DRIFTWISE_ACTOR="x" * 500,
    )  # fmt: skip
    assert service.judged[0].query == {
        "fail_on": "high",
        "branch": branch,
        "repo_name": "infra",
        "repo_url": "https://git.example/a",
    }


def test_nothing_is_left_in_the_temporary_folder(call: Caller, service: PlanService, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    call("plan.json", TMPDIR=str(temporary))
    service.first = [(422, {}, b"{}")]
    call("plan.json", TMPDIR=str(temporary))
    assert list(temporary.iterdir()) == []


def test_shellcheck_has_nothing_to_say() -> None:
    import sys

    found = shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    assert found is not None
    done = subprocess.run([found, "--shell=sh", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0
