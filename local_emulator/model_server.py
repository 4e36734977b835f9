"""A language model for the laptop: answers in the form of the Chat Completions API, by rote, and explains what it is told.

Run as `python -m local_emulator.model_server --port 9000`. Loopback only; takes any key. It knows the two questions that the
suite asks, and writes sentences out of the findings themselves, so that what comes back can be told from the templates' text.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .ports import HOST
from .stopping import serve_until_told

MODEL = "driftwise-stub"
_MOST_BYTES = 1024 * 1024
_CHARACTERS_OF_A_TOKEN = 4


def answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one request.

    Raises:
        KeyError, TypeError, ValueError: it is none of the documented form.
    """
    messages = {message["role"]: message["content"] for message in body["messages"]}
    schema = body["response_format"]["json_schema"]["schema"]
    text = json.dumps(_document(messages["user"], schema["required"]))
    read, written = (len(text) // _CHARACTERS_OF_A_TOKEN for text in (messages["system"] + messages["user"], text))
    return {
        "id": "chatcmpl-local",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
    }


def _document(user: str, members: list[str]) -> dict[str, Any]:
    if members == ["word"]:
        return {"word": "drift"}
    findings = list(_findings(user))
    told = [
        {
            "finding": item["id"],
            "why": f"This is what the rule means by it: {item['reason']}",
            "action": f"This is what can be done about it: {item['remedy']}",
        }
        for item in findings
    ]
    first = [
        {"findings": [item["id"]], "text": f"The first thing to look at is this: {item['title']}."}
        for item in findings[:1]
    ]
    return {"summary": first, "explanations": told}


def _findings(user: str) -> Iterator[Mapping[str, Any]]:
    """Yield the findings in the block of data: a line each, behind its mark."""
    for line in user.splitlines():
        text = line.partition("|")[2]
        if text.startswith("{") and '"flag"' in text:
            yield json.loads(text)


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        self._reply(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        size_bytes = int(self.headers.get("Content-Length") or 0)
        if self.path != "/v1/chat/completions":
            self._reply(404, {"error": {"message": "there is only /v1/chat/completions"}})
        elif size_bytes > _MOST_BYTES:
            self._reply(413, {"error": {"message": "too large"}})
        else:
            try:
                self._reply(200, answer(json.loads(self.rfile.read(size_bytes))))
            except (KeyError, TypeError, ValueError, AttributeError):
                self._reply(400, {"error": {"message": "not a request that this model knows"}})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the library's
        """Say nothing: prompts are nobody's business."""

    def _reply(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A language model stub for the local emulator")
    parser.add_argument("--port", type=int, required=True)
    server = ThreadingHTTPServer((HOST, parser.parse_args().port), _Handler)
    server.daemon_threads = True
    serve_until_told(server)


if __name__ == "__main__":
    main()
