"""People who sign in at their provider and sign out. What was signed out stays out."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from ..calls import Caller, GaveUpError, document
from ..violations import Violation
from .journey import Scene
from .ledger import Ledger

_PERSON = "viewer@acme.example"
_PROVIDER_SECONDS = 30.0
_MOST_TRIED = 20
_LIVE = "select id from core.sessions where id = any(cast(:ids as uuid[])) and revoked_at is null"


class People:
    """One person with a browser."""

    name = "people"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._sessions = Ledger()
        self._ended: list[str] = []  # cookies
        self._seen: list[Violation] = []

    def prepare(self) -> None:
        """Sign in and out once, as what comes later is to find a person who is known."""
        self._browser: Caller = self._scene.caller()
        self._provider = httpx.Client(timeout=_PROVIDER_SECONDS, trust_env=False)
        self.turn()

    def turn(self) -> None:
        """Sign in, ask who one is, sign out, and try the old cookie."""
        cookie = self._sign_in()
        self._scene.calls.keep_secret(cookie.partition("=")[2])
        me = document(self._browser.insist("GET", "/api/v2/me", headers={"Cookie": cookie}))
        if me["email"] != _PERSON:
            self._seen.append(Violation("people: mistaken", f"{_PERSON} signed in as {me['email']}"))
        self._sessions.promise(me["session_id"])
        headers = {"Cookie": cookie, "X-CSRF-Token": me["csrf_token"]}
        with self._sessions.ending(me["session_id"]):
            self._browser.insist("POST", "/auth/logout", headers=headers, or_codes=frozenset({"unauthenticated"}))
        self._ended.append(cookie)
        self._try_ended(1)

    def check(self) -> Iterator[Violation]:
        """Compare the sessions that live with those that may, and try old cookies once more."""
        rows = self._scene.run(_LIVE, ids=self._sessions.promised())
        yield from self._sessions.compare(self.name, "session", (str(session_id) for (session_id,) in rows))
        self._browser = self._scene.caller()
        self._try_ended(_MOST_TRIED)
        yield from self._seen

    def _sign_in(self) -> str:
        """Go through a sign-in; returns the session's cookie. Raises: GaveUpError, RefusedError."""
        begun = self._browser.insist("GET", "/auth/login", expect=frozenset({302}))
        back = self._choose(begun.headers["location"])
        # an attempt whose answer was lost has used the state up: the sign-in is then begun anew
        expect = frozenset({303, 401})
        reply = self._browser.insist("GET", back, headers={"Cookie": _cookie(begun)}, expect=expect)
        if reply.status_code == 401:
            raise GaveUpError("the sign-in was interrupted")
        return _cookie(reply)

    def _choose(self, page: str) -> str:
        """Fill in the provider's form; returns where it sends the browser back to. Raises: GaveUpError."""
        try:
            reply = self._provider.post(page, data={"email": _PERSON})
        except httpx.TransportError as error:
            raise GaveUpError("the identity provider is away") from error
        if reply.status_code != 303:
            raise GaveUpError(f"the identity provider answered {reply.status_code}")
        return reply.headers["location"]

    def _try_ended(self, most: int) -> None:
        for cookie in self._ended[-most:]:
            reply = self._browser.ask("GET", "/api/v2/me", headers={"Cookie": cookie})
            if reply is not None and reply.is_success:
                session_id = document(reply)["session_id"]
                self._seen.append(
                    Violation("people: came back", f"session {session_id} was signed out and still works")
                )


def _cookie(reply: httpx.Response) -> str:
    """Return the cookie that an answer sets, as a browser sends it back; cookies that it takes away are passed over."""
    lines = [line for line in reply.headers.get_list("set-cookie") if "max-age=0" not in line.lower()]
    return lines[-1].partition(";")[0]
