"""Taking secrets and personal data out of texts that leave a request: logs, exception texts, problem details.

Owns the patterns. A last line of defence: nothing may rely on it and log a secret on purpose. Every pattern runs in time
linear in the text, and texts, depth and counts are bounded, so that a caller cannot make logging expensive.
Source: the token formats as GitHub's secret scanning and gitleaks document them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final
from uuid import UUID

REDACTED: Final = "[redacted]"

_MOST_CHARACTERS = 16 * 1024
_MARGIN = 1024  # a token that a cut goes through would not be recognised: so much beside each cut is left out
_MOST_DEPTH, _MOST_ITEMS = 6, 100
_TOO_MUCH = "[cut]"

_TELLING = (
    r"password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|raw[_-]?key"
    r"|client[_-]?secret|credentials?|authorization|cookie|signature|code[_-]?verifier|pepper|saml[_-]?response|assertion"
)
_NAMED = rf"(?:[A-Za-z0-9_.-]*?(?:{_TELLING})|sig)"
_NOTHING = r"(?!\[redacted\]|(?:null|none|true|false)\b)"

# Whole tokens, by what marks them. Each is replaced as a whole.
_TOKENS: Mapping[str, str] = {
    "driftwise key": r"dw[2s]_[0-9A-Za-z_-]{4,}+",
    "jwt": r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){0,4}+",
    "aws access key id": r"(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",
    "google api key": r"AIza[0-9A-Za-z_-]{20,}+",
    "google oauth token": r"ya29\.[0-9A-Za-z_.-]{8,}+|GOCSPX-[0-9A-Za-z_-]{8,}+|1//0[0-9A-Za-z_-]{20,}+",
    "azure client secret": r"(?<![0-9A-Za-z_~.-])[0-9A-Za-z_~.-]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,34}",
    "github token": r"gh[pousr]_[0-9A-Za-z]{16,}+|github_pat_[0-9A-Za-z_]{16,}+",
    "gitlab token": r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt)-[0-9A-Za-z_.-]{16,}+",
    "slack token": r"xox[a-z](?:\.xox[a-z])?-[0-9A-Za-z-]{8,}+|xapp-[0-9]-[0-9A-Za-z-]{8,}+",
    "slack address": r"hooks\.slack\.com/(?:services|workflows|triggers)/[0-9A-Za-z/_-]+",
    "stripe key": r"(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{8,}+|whsec_[0-9A-Za-z+/=_-]{8,}+",
    "model key": r"sk-(?:ant-|proj-|svcacct-)?[0-9A-Za-z_-]{20,}+",
    "hashicorp token": r"hv[sbr]\.[0-9A-Za-z_-]{20,}+|(?<![0-9A-Za-z])[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_-]{20,}+",
}
_TOKEN = re.compile("|".join(_TOKENS.values()))
_PRIVATE_KEY = re.compile(
    r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE ?KEY(?: ?BLOCK)?-----(?s:.*?)(?:-----END[A-Z0-9 ]{0,40}PRIVATE ?KEY(?: ?BLOCK)?-----|\Z)"
)
_KEY_END = re.compile(
    r"\A(?s:.*)-----END[A-Z0-9 ]{0,40}PRIVATE ?KEY(?: ?BLOCK)?-----"
)  # of one that a cut went through
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/?#:@\"'<>]*+):[^\s/?#\"'<>]*@")
_BEARER = re.compile(
    r"\b(bearer|basic|negotiate|digest)(\s++)(?=[A-Za-z._~+/-]*+[0-9=])[0-9A-Za-z._~+/=-]{8,}+", re.IGNORECASE
)
_AUTHORIZATION = re.compile(
    r"(authorization\\?[\"']?\s*+[:=]\s*+\\?[\"']?(?:[a-z]++\s++)?)(?!\[redacted\])[^\s\"',;\\]++", re.IGNORECASE
)
# name=value, "name": "value", 'name': 'value'
_ASSIGNED = re.compile(
    rf"(?<![A-Za-z0-9_.-])({_NAMED})(\\?[\"']\s*+[:=]\s*+|\s*+=\s*+)"
    rf"{_NOTHING}"
    r"(?:\\?\"(?:[^\"\\]|\\.)*+\\?\"?|'(?:[^'\\]|\\.)*+'?|[^\s\"',;&<>)\]}]++)",
    re.IGNORECASE,
)
# name: value, where the value is no word
_STATED = re.compile(
    rf"(?<![A-Za-z0-9_.-])({_NAMED})(:\s*+)(?=[^\s\"',;0-9+/=_]*+[0-9+/=_])[^\s\"',;\[]{{8,}}+", re.IGNORECASE
)
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]++@[\w-]+(?:\.[\w-]+)++")
_UUID = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
_SECRET_FIELD = re.compile(rf"(?:.*[_.\s-])?(?:{_TELLING}|set-cookie|x-api-key)s?", re.IGNORECASE)

_OURS = frozenset(
    {
        "time", "severity", "function", "area", "route", "request_id", "logging.googleapis.com/trace",
        "logging.googleapis.com/spanId",
    }
)  # fmt: skip


def redact_text(text: str, *, has_people: bool = False, has_ids: bool = False) -> str:
    """Return a text without secrets, at most 16 Ki characters of it.

    Args:
        text: any text.
        has_people: leave e-mail addresses in; for texts that only their own subject reads.
        has_ids: take UUIDs out too; for what leaves a browser.
    """
    if len(text) <= _MOST_CHARACTERS:
        return _scrubbed(text, has_people=has_people, has_ids=has_ids)
    half = _MOST_CHARACTERS // 2
    head = _scrubbed(text[: half + _MARGIN], has_people=has_people, has_ids=has_ids)[:-_MARGIN]
    tail = _scrubbed(_KEY_END.sub(REDACTED, text[-half - _MARGIN :]), has_people=has_people, has_ids=has_ids)[_MARGIN:]
    return f"{head}{_TOO_MUCH}{tail}"


def redact(value: Any, *, has_people: bool = False, depth: int = _MOST_DEPTH) -> Any:
    """Return a JSON-like value without secrets: in texts, in names, and whole fields whose name says that they hold one."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value, has_people=has_people)
    if isinstance(value, UUID):
        return str(value)
    if depth <= 0:
        return _TOO_MUCH
    if isinstance(value, Mapping):
        return dict(_members(value.items(), has_people=has_people, depth=depth))
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        items = [redact(item, has_people=has_people, depth=depth - 1) for item in list(value)[:_MOST_ITEMS]]
        return [*items, _TOO_MUCH] if len(value) > _MOST_ITEMS else items
    return redact_text(str(value), has_people=has_people)


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of every field of a log line (a structlog processor); fields that we fill ourselves are left alone."""
    for name, value in list(event.items()):
        if name not in _OURS:
            event[name] = REDACTED if _is_secret(name, value) else redact(value)
    return event


def holds_secret(text: str) -> bool:
    """Say whether a text holds a secret."""
    return redact_text(text, has_people=True) != text


def _members(items: Iterable[tuple[object, Any]], *, has_people: bool, depth: int) -> Iterable[tuple[str, Any]]:
    for number, (name, value) in enumerate(items):
        if number >= _MOST_ITEMS:
            yield _TOO_MUCH, True
            return
        shown = redact_text(str(name), has_people=has_people)
        yield shown, REDACTED if _is_secret(shown, value) else redact(value, has_people=has_people, depth=depth - 1)


def _is_secret(name: str, value: object) -> bool:
    return (
        value is not None
        and not isinstance(value, bool | int | float)
        and _SECRET_FIELD.fullmatch(name[:200]) is not None
    )


def _scrubbed(text: str, *, has_people: bool, has_ids: bool) -> str:
    if "PRIVATE" in text:
        text = _PRIVATE_KEY.sub(REDACTED, text)
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", text)
    text = _TOKEN.sub(REDACTED, text)
    if "=" in text or ":" in text:
        text = _AUTHORIZATION.sub(rf"\1{REDACTED}", text)
        text = _ASSIGNED.sub(rf"\1\2{REDACTED}", text)
        text = _STATED.sub(rf"\1\2{REDACTED}", text)
    text = _BEARER.sub(rf"\1\2{REDACTED}", text)
    if not has_people and "@" in text:
        text = _EMAIL.sub(REDACTED, text)
    return _UUID.sub(REDACTED, text) if has_ids else text
