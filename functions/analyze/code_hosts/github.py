"""GitHub by an App's installation: a short-lived token, the pull request, its comments, a check run with annotations.

Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app;
https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app; https://docs.github.com/en/rest/pulls/pulls;
https://docs.github.com/en/rest/issues/comments; https://docs.github.com/en/rest/checks/runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.ports.secret_store import Secret

from ..domain.code_hosts import PullRequestPlace
from ..errors import CodeHostAccess, CodeHostLocked, CodeHostNotFound, CodeHostPermissions, CodeHostRefused
from .comments import walk
from .exchange import Answer, HostApi, server_time
from .tokens import InstallationTokens

if TYPE_CHECKING:  # the writers come with the first analysis that is shown
    from ..domain.outputs.checks import Check

MOST_PER_REQUEST: Final = 50  # annotations
_ACCEPT: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_BACKDATED_SECONDS, _JWT_SECONDS = 60, 540  # GitHub takes ten minutes at most, by its own clock
_SKEW_SECONDS = 30.0
_SHA: Final = re.compile(r"[0-9a-f]{40}")
_OK, _CREATED, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _GONE, _UNPROCESSABLE = 200, 201, 401, 403, 404, 410, 422
_IS_GONE = frozenset({_NOT_FOUND, _GONE})


@dataclass(frozen=True, slots=True)
class Installation:
    """An App where it is installed.

    Attributes:
        app_id, installation_id: as GitHub calls them.
        private_key: PEM.
    """

    app_id: int
    installation_id: int
    private_key: Secret


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What is read of a pull request.

    Attributes:
        head: full id of its last commit, in lower case.
    """

    is_open: bool
    head: str


def app_jwt(installation: Installation, now: datetime) -> str:
    """Return what the App shows for itself: valid for ten minutes in all, from a minute ago, as clocks differ."""
    import jwt  # few requests need it

    at = int(now.timestamp())
    claims = {"iat": at - _BACKDATED_SECONDS, "exp": at + _JWT_SECONDS, "iss": str(installation.app_id)}
    return jwt.encode(claims, installation.private_key.reveal(), algorithm="RS256")


class GitHub:
    """One pull request, by one installation."""

    def __init__(
        self,
        api: HostApi,
        installation: Installation,
        place: PullRequestPlace,
        tokens: InstallationTokens,
        *,
        writes_checks: bool,
    ) -> None:
        """Make one; sends nothing yet.

        Args:
            api: the host's.
            installation: by which.
            place: the pull request.
            tokens: of this process.
            writes_checks: whether the token is to be good for check runs, else for comments: an App may lack either permission.
        """
        self._api = api
        self._installation = installation
        self._place = place
        self._tokens = tokens
        self._permissions = {"checks" if writes_checks else "pull_requests": "write"}
        self._key = (api.key, installation.app_id, installation.installation_id, place.repository, writes_checks)
        self._root = f"/repos/{place.owner}/{place.name}"

    def read_pull_request(self) -> PullRequest:
        """Read the pull request.

        Raises:
            CodeHostNotFound: (422 `code_host_not_found`).
        """
        found = self._get(f"{self._root}/pulls/{self._place.number}")
        if found.status in _IS_GONE:
            raise CodeHostNotFound
        _expect(found, _OK)
        return PullRequest(is_open=found.text("state") == "open", head=found.text("head", "sha").lower())

    def update(self, comment_id: int, body: str) -> bool:
        """Write a comment over; False when it was deleted."""
        found = self._send("PATCH", f"{self._root}/issues/comments/{comment_id}", {"body": body}, repeats=True)
        if found.status in _IS_GONE:
            return False
        _expect(found, _OK)
        return True

    def create(self, body: str) -> int:
        """Make a comment; returns its id."""
        path = f"{self._root}/issues/{self._place.number}/comments"
        found = self._send("POST", path, {"body": body}, repeats=False)
        if found.status in _IS_GONE:
            raise CodeHostNotFound
        _expect(found, _CREATED)
        return found.number("id")

    def list_own(self) -> Iterator[Mapping[str, Any]]:
        """List the comments that the App itself wrote; what it wrote for a person is that person's."""
        path = f"{self._root}/issues/{self._place.number}/comments"
        for comment in walk(lambda size, number: self._page(f"{path}?per_page={size}&page={number}")):
            app, user = comment.get("performed_via_github_app"), comment.get("user")
            is_ours = isinstance(app, Mapping) and app.get("id") == self._installation.app_id
            if is_ours and isinstance(user, Mapping) and user.get("type") == "Bot":
                yield comment

    def put_check(self, check: Check, head: str) -> None:
        """Make the check run of an analysis, or carry on with the one that a worker before this one left incomplete.

        Annotations are added to those that are there, so each is sent once. A newer analysis of the same commit gets a check run of
        its own; GitHub shows the newest of a name.
        """
        sha = self._commit(head)
        if sha is None:
            return
        run_id, sent = self._find_check(check, sha)
        if run_id is None:
            first = check.annotations[:MOST_PER_REQUEST]
            made = self._send("POST", f"{self._root}/check-runs", _check_body(check, sha, first), repeats=False)
            _expect(made, _CREATED)
            run_id, sent = made.number("id"), len(first)
        while sent < len(check.annotations):
            part = check.annotations[sent : sent + MOST_PER_REQUEST]
            body = {"output": {"title": check.title, "summary": check.summary, "annotations": part}}
            _expect(self._send("PATCH", f"{self._root}/check-runs/{run_id}", body, repeats=False), _OK)
            sent += len(part)

    def _commit(self, head: str) -> str | None:
        """Return the commit that was planned, in full; None when it is neither given in full nor the head."""
        told = self._place.commit
        if _SHA.fullmatch(told):
            return told
        return head if _SHA.fullmatch(head) and head.startswith(told) else None

    def _find_check(self, check: Check, sha: str) -> tuple[int | None, int]:
        """Return the check run of this analysis and how many annotations it has."""
        query = f"check_name={check.name}&filter=all&app_id={self._installation.app_id}&per_page=100"
        found = self._get(f"{self._root}/commits/{sha}/check-runs?{query}")
        _expect(found, _OK)
        runs = found.member("check_runs")
        for run in runs if isinstance(runs, list) else []:
            if (
                isinstance(run, Mapping)
                and run.get("external_id") == check.external_id
                and isinstance(run.get("id"), int)
            ):
                output = run.get("output")
                sent = output.get("annotations_count") if isinstance(output, Mapping) else 0
                return run["id"], sent if isinstance(sent, int) else 0
        return None, 0

    def _page(self, path: str) -> Answer:
        found = self._get(path)
        if found.status in _IS_GONE:
            raise CodeHostNotFound
        _expect(found, _OK)
        return found

    def _get(self, path: str) -> Answer:
        return self._send("GET", path, None, repeats=True)

    def _send(self, method: str, path: str, body: object, *, repeats: bool) -> Answer:
        """Send one request as the installation; a token that is not taken any more is asked for anew, once."""
        for is_last in (False, True):
            token = self._tokens.get(self._key, self._new_token)
            headers = {**_ACCEPT, "Authorization": f"Bearer {token.reveal().decode('ascii')}"}
            found = self._api.send(method, path, headers, body, repeats=repeats)
            if found.status != _UNAUTHORISED:
                break
            self._tokens.forget(self._key, token)
            if is_last:
                raise CodeHostAccess
        return found

    def _new_token(self) -> tuple[Secret, datetime]:
        """Ask for a token for this one repository.

        Raises:
            CodeHostAccess: (422 `code_host_access`) GitHub does not know the App by this key, or the installation is gone.
            CodeHostPermissions: (422 `code_host_permissions`) the App may not do this, or not in this repository.
        """
        path = f"/app/installations/{self._installation.installation_id}/access_tokens"
        wish = {"repositories": [self._place.name], "permissions": self._permissions}
        now = self._api.clock.now()
        found = self._ask_token(path, wish, now)
        theirs = server_time(found.headers)
        if found.status == _UNAUTHORISED and theirs and abs((theirs - now).total_seconds()) > _SKEW_SECONDS:
            found = self._ask_token(path, wish, theirs)  # our clock is wrong: GitHub's counts
        if found.status == _UNPROCESSABLE:
            raise CodeHostPermissions
        if found.status in {_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND}:
            raise CodeHostAccess
        _expect(found, _CREATED)
        return Secret(found.text("token").encode("ascii", "replace")), _time(found.text("expires_at"), now)

    def _ask_token(self, path: str, wish: object, now: datetime) -> Answer:
        headers = {**_ACCEPT, "Authorization": f"Bearer {app_jwt(self._installation, now)}"}
        return self._api.send("POST", path, headers, wish, repeats=True)  # one token more does no harm


def _check_body(check: Check, sha: str, annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": check.name,
        "head_sha": sha,
        "external_id": check.external_id,
        "status": "completed",
        "conclusion": check.conclusion,
        "output": {"title": check.title, "summary": check.summary, "annotations": annotations},
    }


def _expect(found: Answer, status: int) -> None:
    """Refuse an answer that is not the documented one.

    Raises:
        CodeHostLocked, CodeHostPermissions, CodeHostNotFound, CodeHostRefused: (422).
    """
    if found.status == status:
        return
    message = found.member("message")
    if found.status == _FORBIDDEN and isinstance(message, str) and "locked" in message.lower():
        raise CodeHostLocked
    if found.status == _FORBIDDEN:
        raise CodeHostPermissions
    if found.status in _IS_GONE:
        raise CodeHostNotFound
    raise CodeHostRefused(host_status=found.status)


def _time(text: str, now: datetime) -> datetime:
    """Return when a token ends; one whose end cannot be read is used for a minute."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return now + timedelta(minutes=1)
    return found if found.tzinfo is not None else now + timedelta(minutes=1)
