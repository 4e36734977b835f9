"""Analyses onto pull requests, against hosts that answer as their documentation says: one comment, whatever goes wrong between."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from flask import Response

from functions.analyze.domain.outputs.markdown import MARK
from shared.ports.queue import Message
from tests.support.analyses import HOSTILE
from tests.support.analyze_function import AnalyzeFunction, AnalyzeOrg
from tests.support.code_hosts import (
    APP_ID,
    GITLAB_TOKEN,
    GITLAB_USER,
    HEAD,
    PRIVATE_KEY,
    Answer,
    FakeGitHub,
    FakeGitLab,
    Fault,
    serving,
)
from tests.support.database import ClonedDatabase
from tests.support.http_app import SETTINGS, problem

from .test_analyses import DATABASE_GOES, QUIET, change_of, plan_of

TOPIC = "pull-request-comments"
CI = {"repo_owner": "shop", "repo_name": "infra", "pr_number": 12, "branch": "more", "commit_sha": HEAD}


class Scene:
    """One organisation with one connection to a host, which is served."""

    def __init__(self, database: ClonedDatabase, host: Any, wish: dict[str, Any], ci: dict[str, Any]) -> None:
        endpoint = urlsplit(host.url).netloc
        self.host, self.ci = host, ci
        self.function = AnalyzeFunction(database, clock=host.clock, settings=replace(SETTINGS, egress_bypass=endpoint))
        self.org = AnalyzeOrg.make(self.function)
        self.made = self.org.done("POST", "/code-hosts", {**wish, "url": host.url}, 201, role="admin")

    def analyze(self, *changes: dict[str, Any], **more: Any) -> str:
        """Have a plan judged that belongs to the pull request; returns the analysis' id."""
        self.host.clock.advance(1)
        plan = plan_of(*(changes or (DATABASE_GOES, QUIET)))
        response = self.org.call("POST", "/analyze", {"plan_json": plan, "ci": self.ci, **more})
        found = json.loads(response.get_data())
        return str(found.get("id") or found["analysis_id"])

    def message(self) -> Message:
        """Return the message about the newest analysis."""
        return self.function.queue.messages(TOPIC)[-1]

    def push(self, message: Message | None = None) -> Response:
        """Push a message to the worker."""
        return self.function.push(message or self.message(), TOPIC)

    def publish(self, *changes: dict[str, Any], **more: Any) -> str:
        """Have a plan judged and shown; returns the analysis' id."""
        found = self.analyze(*changes, **more)
        assert self.push().status_code == 204
        return found

    def row(self) -> dict[str, Any]:
        """Return what is stored of the pull request."""
        rows = self.function.database.owner.run(
            "select to_jsonb(p) from analysis.pull_request_comments p where org_id = :org_id", org_id=self.org.id
        )
        [[found]] = cast("list[list[dict[str, Any]]]", rows)
        return found

    def shown(self) -> dict[str, Any]:
        """Return the connection as admins see it."""
        found: dict[str, Any] = self.org.done("GET", f"/code-hosts/{self.made['id']}", role="admin")
        return found

    def sent(self, method: str, part: str) -> int:
        """Count requests to the host."""
        return sum(item.method == method and part in item.path for item in self.host.asked)


@contextmanager
def on_github(database: ClonedDatabase, **wish: Any) -> Generator[Scene]:
    from shared.testing.clock import FakeClock

    body = {
        "kind": "github",
        "name": "ours",
        "owner": "shop",
        "app_id": APP_ID,
        "installation_id": 42,
        "private_key": PRIVATE_KEY,
    }
    with serving(FakeGitHub(FakeClock())) as host:
        yield Scene(database, host, {**body, **wish}, {**CI, "repo_url": f"{host.url}/shop/infra"})


@contextmanager
def on_gitlab(database: ClonedDatabase, **wish: Any) -> Generator[Scene]:
    from shared.testing.clock import FakeClock

    body = {"kind": "gitlab", "name": "theirs", "owner": "shop", "token": GITLAB_TOKEN}
    with serving(FakeGitLab(FakeClock())) as host:
        yield Scene(database, host, {**body, **wish}, {**CI, "repo_owner": "shop/team"})


@pytest.fixture
def github(database: ClonedDatabase) -> Iterator[Scene]:
    with on_github(database) as scene:
        yield scene


@pytest.fixture
def gitlab(database: ClonedDatabase) -> Iterator[Scene]:
    with on_gitlab(database) as scene:
        yield scene


def written(scene: Scene) -> list[str]:
    """Return what our comments say."""
    if isinstance(scene.host, FakeGitLab):
        return [item["body"] for item in scene.host.notes.values() if item["author"]["id"] == GITLAB_USER]
    return [item["body"] for item in scene.host.comments.values() if item["user"]["type"] == "Bot"]


def delete_ours(scene: Scene) -> None:
    """Let somebody delete our comments."""
    if isinstance(scene.host, FakeGitLab):
        for key in [key for key, item in scene.host.notes.items() if item["author"]["id"] == GITLAB_USER]:
            del scene.host.notes[key]
    else:
        for key in [key for key, item in scene.host.comments.items() if item["user"]["type"] == "Bot"]:
            del scene.host.comments[key]


@pytest.fixture(params=["github", "gitlab"])
def scene(request: pytest.FixtureRequest, database: ClonedDatabase) -> Iterator[Scene]:
    with (on_github if request.param == "github" else on_gitlab)(database) as found:
        yield found


COMMENT = {FakeGitHub: ("/issues/12/comments", "PATCH"), FakeGitLab: ("/notes", "PUT")}


def path_of(scene: Scene) -> str:
    return COMMENT[type(scene.host)][0]


# --- one comment, updated in place


def test_an_analysis_becomes_a_comment_and_the_next_one_takes_its_place(scene: Scene) -> None:
    first = scene.publish()
    [body] = written(scene)
    assert body.startswith(MARK)
    assert first in body
    assert "critical risk" in body
    second = scene.publish(QUIET)
    [body] = written(scene)
    assert second in body
    assert first not in body
    assert scene.sent("POST", path_of(scene)) == 1
    assert scene.sent("GET", path_of(scene)) == 1, "once its id is known it is not looked for"
    assert (scene.row()["status"], scene.row()["lease_id"], scene.row()["analysis_id"]) == ("posted", None, second)
    assert scene.shown()["last_used_at"] is not None


def test_a_message_that_comes_again_does_nothing(scene: Scene) -> None:
    scene.publish()
    before = len(scene.host.asked)
    assert scene.push().status_code == 204
    assert len(scene.host.asked) == before


def test_a_deleted_comment_is_made_anew(scene: Scene) -> None:
    scene.publish()
    delete_ours(scene)
    second = scene.publish()
    [body] = written(scene)
    assert second in body


def test_a_comment_whose_id_is_lost_is_found_by_its_mark(scene: Scene) -> None:
    scene.publish()
    scene.function.database.owner.run("delete from analysis.pull_request_comments")
    second = scene.publish()
    [body] = written(scene)
    assert second in body


def test_a_comment_on_the_last_page_is_found(scene: Scene) -> None:
    host = scene.host
    for number in range(120):
        host.add_note(f"note {number}") if isinstance(host, FakeGitLab) else host.add_comment(f"comment {number}")
    scene.publish()
    scene.function.database.owner.run("delete from analysis.pull_request_comments")
    scene.publish()
    assert len(written(scene)) == 1


def test_a_page_that_is_too_large_is_read_in_smaller_ones(scene: Scene) -> None:
    host, large = scene.host, "x" * 300_000
    for _ in range(20):
        host.add_note(large) if isinstance(host, FakeGitLab) else host.add_comment(large)
    scene.publish()
    scene.function.database.owner.run("delete from analysis.pull_request_comments")
    scene.publish()
    assert len(written(scene)) == 1


def test_a_list_that_cannot_be_read_is_not_taken_for_an_empty_one(scene: Scene) -> None:
    scene.host.faults.append(Fault("GET", path_of(scene), Answer(200, {"not": "a list"})))
    scene.publish()
    assert written(scene) == []
    assert (scene.row()["status"], scene.shown()["last_error_code"]) == ("failed", "code_host_answer")


def test_somebody_elses_comment_with_our_mark_is_left_alone(github: Scene, database: ClonedDatabase) -> None:
    host: FakeGitHub = github.host
    forged = [
        host.add_comment(f"{MARK}\nnothing to see"),
        host.add_comment(f"{MARK}\nby another App", app_id=99, user_type="Bot"),
        host.add_comment(f"{MARK}\nby a person through the App", app_id=APP_ID),
        host.add_comment(f"by the App, without the mark: {MARK}", app_id=APP_ID, user_type="Bot"),
    ]
    before = [host.comments[item]["body"] for item in forged]
    github.publish()
    assert [host.comments[item]["body"] for item in forged] == before
    assert len(host.comments) == 5


def test_somebody_elses_note_with_our_mark_is_left_alone(gitlab: Scene) -> None:
    host: FakeGitLab = gitlab.host
    forged = host.add_note(f"{MARK}\nnothing to see"), host.add_note(f"{MARK}\nsystem", GITLAB_USER, is_system=True)
    gitlab.publish()
    assert [host.notes[item]["body"].split("\n")[1] for item in forged] == ["nothing to see", "system"]
    assert len(host.notes) == 3


# --- who may be first, and who comes too late


def test_workers_at_once_make_one_comment(scene: Scene) -> None:
    scene.analyze()
    message = scene.message()
    with ThreadPoolExecutor(5) as pool:
        answers = sorted(found.status_code for found in pool.map(lambda _: scene.push(message), range(5)))
    assert set(answers) <= {204, 503}
    while scene.push(message).status_code == 503:
        pass
    assert len(written(scene)) == 1
    assert scene.sent("POST", path_of(scene)) == 1


def test_who_loses_the_race_waits_and_an_older_analysis_leaves(scene: Scene) -> None:
    scene.analyze()
    older = scene.message()
    newest = scene.analyze(QUIET)
    newer = scene.message()
    answers: list[int] = []
    scene.host.faults.append(Fault("GET", "", before=lambda: answers.append(scene.push(newer).status_code)))
    assert scene.push(older).status_code == 204
    assert answers == [503], "the newer one comes back when the older one is through"
    assert scene.push(newer).status_code == 204
    [body] = written(scene)
    assert newest in body
    before = len(scene.host.asked)
    assert scene.push(older).status_code == 204
    assert len(scene.host.asked) == before, "what is older is not shown over what is newer"


def test_an_older_analysis_does_not_wait_for_a_newer_one(scene: Scene) -> None:
    scene.analyze()
    older = scene.message()
    scene.analyze(QUIET)
    newer = scene.message()
    answers: list[int] = []
    scene.host.faults.append(Fault("GET", "", before=lambda: answers.append(scene.push(older).status_code)))
    assert scene.push(newer).status_code == 204
    assert answers == [204]


def test_a_worker_that_dies_leaves_its_lease_to_time(scene: Scene) -> None:
    scene.analyze()
    scene.push()
    scene.function.database.owner.run(
        "update analysis.pull_request_comments set status = 'pending', lease_id = gen_random_uuid(), leased_until = :until",
        until=scene.host.clock.now() + timedelta(seconds=120),
    )
    problem(scene.push(), 503, "pull_request_busy")
    scene.host.clock.advance(121)
    assert scene.push().status_code == 204
    assert len(written(scene)) == 1


# --- closed, locked, missing


@pytest.mark.parametrize("is_wanted", [False, True])
def test_a_closed_pull_request_is_left_alone_unless_it_is_wanted(database: ClonedDatabase, is_wanted: bool) -> None:  # noqa: FBT001
    for make, states in ((on_github, ["closed"]), (on_gitlab, ["closed", "merged"])):
        for state in states:
            with make(database, comments_on_closed=is_wanted) as scene:
                scene.host.state = state
                scene.publish()
                assert len(written(scene)) == int(is_wanted)
                assert scene.row()["status"] == ("posted" if is_wanted else "closed")


def test_a_locked_conversation_is_said_and_not_tried_again(scene: Scene) -> None:
    scene.host.is_locked = True
    scene.publish()
    said = (
        "code_host_permissions" if isinstance(scene.host, FakeGitLab) else "code_host_locked"
    )  # GitLab says no more than 403
    assert (scene.row()["status"], scene.shown()["last_error_code"]) == ("failed", said)
    scene.host.is_locked = False
    scene.publish()
    assert (scene.row()["status"], scene.shown()["last_error_code"]) == ("posted", None)


def test_a_repository_that_is_not_there_is_said(scene: Scene) -> None:
    scene.ci["repo_name"] = "other"
    scene.publish()
    assert scene.shown()["last_error_code"] in {"code_host_permissions", "code_host_not_found"}
    assert written(scene) == []


@pytest.mark.parametrize(
    "change",
    [
        {"repo_owner": "else"},
        {"pr_number": None},
        {"repo_url": "https://other.example/x"},
        {"repo_owner": "..", "repo_name": "app"},
    ],
)
def test_what_no_connection_is_for_calls_nobody(github: Scene, change: dict[str, Any]) -> None:
    github.ci |= change
    github.ci = {name: value for name, value in github.ci.items() if value is not None}
    github.analyze()
    for message in github.function.queue.messages(TOPIC):
        assert github.push(message).status_code == 204
    assert github.host.asked == []


def test_a_disabled_connection_calls_nobody(scene: Scene) -> None:
    scene.analyze()
    scene.org.done("PATCH", f"/code-hosts/{scene.made['id']}", {"is_disabled": True}, role="admin")
    assert scene.push().status_code == 204
    before = len(scene.function.queue.messages(TOPIC))
    scene.analyze()
    assert len(scene.function.queue.messages(TOPIC)) == before, "and nothing more is asked for"
    assert scene.host.asked == []


def test_an_analysis_of_others_is_not_shown(scene: Scene) -> None:
    scene.analyze()
    stranger = AnalyzeOrg.make(scene.function)
    message = Message(scene.message().payload, {"event_id": "forged", "org_id": str(stranger.id)})
    assert scene.push(message).status_code == 204
    for payload in ({}, {"analysis_id": "x"}, {"analysis_id": None}):
        assert scene.push(Message(payload, {"event_id": "odd", "org_id": str(scene.org.id)})).status_code == 204
    assert scene.host.asked == []


# --- trouble and limits


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_while_reading_is_passed_over(scene: Scene, status: int) -> None:
    scene.host.faults += [Fault("GET", "12", Answer(status)), Fault("GET", path_of(scene), Answer(status))]
    scene.publish()
    assert len(written(scene)) == 1


def test_trouble_that_lasts_is_left_to_the_queue(scene: Scene) -> None:
    scene.analyze()
    scene.host.faults += [Fault("GET", "12", Answer(503)) for _ in range(4)]
    problem(scene.push(), 503, "code_host_away")
    assert (scene.row()["status"], scene.row()["lease_id"], scene.row()["error_code"]) == (
        "pending",
        None,
        "code_host_away",
    )
    assert scene.push().status_code == 204
    assert len(written(scene)) == 1


@pytest.mark.parametrize("is_done", [True, False])
def test_an_answer_that_is_lost_makes_no_second_comment(scene: Scene, is_done: bool) -> None:  # noqa: FBT001
    scene.analyze()
    scene.host.faults.append(Fault("POST", path_of(scene), Answer(502), is_done=is_done))
    problem(scene.push(), 503, "code_host_away")
    assert scene.sent("POST", path_of(scene)) == 1, "what may have been done is not done again"
    assert scene.push().status_code == 204
    assert len(written(scene)) == 1


def test_a_worker_that_dies_after_it_made_the_comment_makes_no_second_one(scene: Scene) -> None:
    scene.publish()
    scene.function.database.owner.run("update analysis.pull_request_comments set status = 'pending', comment_id = null")
    assert scene.push().status_code == 204
    assert len(written(scene)) == 1


LIMITS = {
    "secondary, how long is said": (403, {"message": "You have exceeded a secondary rate limit."}, {"retry-after": "120"}, 120),
    "secondary, how long is not said": (403, {"message": "You have exceeded a secondary rate limit. Please wait."}, {}, 60),
    "secondary, by status": (429, {"message": "slow down"}, {}, 60),
    "an hour's": (403, {"message": "API rate limit exceeded for installation."}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "RESET"}, 300),
    "gitlab's": (429, {"message": "Retry later"}, {"Retry-After": "45", "RateLimit-Remaining": "0"}, 45),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_kept(scene: Scene, name: str) -> None:
    status, body, headers, seconds = LIMITS[name]
    scene.analyze()
    reset = int(scene.host.clock.now().timestamp()) + seconds
    said = {key: str(reset) if value == "RESET" else value for key, value in headers.items()}
    scene.host.faults.append(Fault("GET", "12", Answer(status, body, said)))
    found = scene.push()
    problem(found, 503, "code_host_away")
    assert seconds <= int(found.headers["Retry-After"]) <= seconds + 3
    before = len(scene.host.asked)
    scene.host.clock.advance(seconds - 5)
    problem(scene.push(), 503, "code_host_away")
    assert len(scene.host.asked) == before, "nobody is asked before the time is over"
    scene.host.clock.advance(10)
    assert scene.push().status_code == 204
    assert len(written(scene)) == 1


def test_a_limit_that_goes_on_is_kept_for_longer_each_time(github: Scene) -> None:
    github.analyze()
    waits = []
    for _ in range(3):
        github.host.faults.append(Fault("GET", "12", Answer(403, {"message": "secondary rate limit"})))
        waits.append(int(github.push().headers["Retry-After"]))
        github.host.clock.advance(waits[-1] + 1)
    assert [wait // 60 for wait in waits] == [1, 2, 4]


def test_a_short_limit_on_writing_is_waited_for(scene: Scene) -> None:
    scene.host.faults.append(Fault("POST", path_of(scene), Answer(429, {}, {"retry-after": "2"})))
    scene.publish()
    assert scene.sent("POST", path_of(scene)) == 2, "a refused request was not carried out"
    assert len(written(scene)) == 1


def test_a_refusal_is_no_limit(scene: Scene) -> None:
    scene.host.faults.append(Fault("GET", "12", Answer(403, {"message": "Resource not accessible by integration"})))
    scene.publish()
    assert scene.shown()["last_error_code"] == "code_host_permissions"


# --- the App and its tokens


def test_one_token_serves_until_it_is_about_to_end(github: Scene) -> None:
    for _ in range(3):
        github.publish()
    assert github.sent("POST", "access_tokens") == 2, "one for comments, one for check runs"
    wishes = [item.body for item in github.host.asked if item.path.endswith("access_tokens")]
    assert wishes == [
        {"repositories": ["infra"], "permissions": {"pull_requests": "write"}},
        {"repositories": ["infra"], "permissions": {"checks": "write"}},
    ]
    github.host.clock.advance(56 * 60)
    github.publish()
    assert github.sent("POST", "access_tokens") == 4


def test_a_token_that_is_not_taken_any_more_is_asked_for_anew(github: Scene) -> None:
    github.publish()
    github.host.tokens.clear()
    second = github.publish()
    [body] = written(github)
    assert second in body


def test_credentials_that_are_not_taken_are_said_and_not_tried_for_ever(scene: Scene) -> None:
    if isinstance(scene.host, FakeGitLab):
        scene.host.token = "glpat-revoked"  # noqa: S105  # what the host takes now
    else:
        scene.host.faults += [
            Fault("POST", "access_tokens", Answer(401, {"message": "A JSON web token could not be decoded"}))
        ]
    scene.publish()
    assert (scene.row()["status"], scene.shown()["last_error_code"]) == ("failed", "code_host_access")
    assert len(scene.host.asked) <= 2


@pytest.mark.parametrize("minutes", [-20, -8, -1, 1, 8, 20])
def test_a_clock_that_is_wrong_does_no_harm(github: Scene, minutes: int) -> None:
    github.host.skew = timedelta(minutes=minutes)
    github.publish()
    assert len(written(github)) == 1


def test_an_app_without_the_permission_for_checks_comments_all_the_same(github: Scene) -> None:
    del github.host.granted["checks"]
    github.publish()
    assert len(written(github)) == 1
    assert github.host.runs == {}
    assert github.shown()["last_error_code"] == "code_host_permissions"


def test_nothing_secret_is_logged_or_told(github: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    github.analyze()
    github.host.faults += [Fault("GET", "12", Answer(500)) for _ in range(4)]
    github.push()
    github.push()
    said = "".join(capsys.readouterr()) + json.dumps(github.shown())
    assert "ghs_" not in said
    assert PRIVATE_KEY.splitlines()[1] not in said
    assert "Bearer" not in said


# --- check runs


def many(number: int) -> list[dict[str, Any]]:
    """Return changes with a finding each."""
    return [change_of(f"aws_db_instance.n{index}", ["delete"], {"identifier": "x"}, None) for index in range(number)]


def test_a_check_run_ends_by_the_gate(github: Scene) -> None:
    github.publish()
    github.publish(fail_on="high")
    github.publish(QUIET, fail_on="high")
    runs = list(github.host.runs.values())
    assert [run["conclusion"] for run in runs] == ["neutral", "failure", "success"]
    assert {run["head_sha"] for run in runs} == {HEAD}
    assert {run["status"] for run in runs} == {"completed"}


def test_annotations_go_fifty_at_a_time_and_each_once(github: Scene) -> None:
    github.publish(*many(120))
    [run] = github.host.runs.values()
    titles = [item["path"] for item in run["annotations"]]
    assert len(titles) >= 120
    assert len(titles) <= 200
    assert github.sent("PATCH", "/check-runs/") == -(-len(titles) // 50) - 1


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize(("method", "part"), [("POST", "check-runs"), ("PATCH", "check-runs")])
def test_an_answer_about_a_check_run_that_is_lost_doubles_nothing(
    github: Scene,
    method: str,
    part: str,
    is_done: bool,  # noqa: FBT001
) -> None:
    github.publish(*many(120))
    [whole] = github.host.runs.values()
    github.host.runs.clear()
    github.analyze(*many(120))
    github.host.faults.append(Fault(method, part, Answer(502), is_done=is_done))
    problem(github.push(), 503, "code_host_away")
    assert github.push().status_code == 204
    [run] = github.host.runs.values()
    assert [item["path"] for item in run["annotations"]] == [item["path"] for item in whole["annotations"]]
    assert len(written(github)) == 1


def test_a_commit_that_was_not_given_in_full_is_completed_by_the_head_or_left_out(github: Scene) -> None:
    github.ci["commit_sha"] = HEAD[:10]
    github.publish()
    assert [run["head_sha"] for run in github.host.runs.values()] == [HEAD]
    github.ci["commit_sha"] = "ffffffffff"
    github.publish()
    assert len(github.host.runs) == 1, "the plan was for another commit than the one there is now"


def test_a_connection_may_go_without_check_runs(database: ClonedDatabase) -> None:
    with on_github(database, has_check_run=False) as scene:
        scene.publish()
        assert scene.host.runs == {}
        assert len(written(scene)) == 1


# --- what stands in a plan does not act


def test_hostile_text_in_a_plan_does_not_act(scene: Scene) -> None:
    changes = []
    for number, text in enumerate((*HOSTILE, "/close", "x\n/merge", "\n/approve\n", MARK)):
        clean = text.replace("\ud800", "").replace("\x00", "")  # plans that hold these are refused
        attributes = {"identifier": clean, "tags": {"Name": clean, f"{clean}x": clean}}
        change = change_of("aws_db_instance.main", ["delete"], attributes, None)
        change["address"] = f'module.m[{number}]["{clean}"].aws_db_instance.main'
        changes.append(change)
    scene.publish(*changes)
    [body] = written(scene)
    assert body.startswith(MARK)
    assert not [line for line in body.split("\n") if line.lstrip().startswith("/")], (
        "GitLab carries out lines that begin so"
    )
    outside = outside_code(body)
    for part in ("<img", "<script", "<h1", "](http", "@everyone", "https://evil", "::set-output", "##vso"):
        assert part not in outside
    for number in range(len(changes)):
        assert f"m[{number}]" in body


def outside_code(body: str) -> str:
    """Return what is not between backticks or inside of `<code>`."""
    import re

    body = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", body)
    body = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", body)
    return re.sub(r"(?s)<code>.*?</code>", "", body)
