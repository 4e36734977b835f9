"""The lint of outbound connections, on planted ways around the guard."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from infra.lint.egress import ALLOWED, ROOT, check, check_tree

AROUND = {
    "an HTTP client": "import httpx\n",
    "under another name": "import httpx as json\n",
    "inside a function": "def f():\n    import requests\n",
    "a part of a client": "from urllib3.util import connection\n",
    "a module of a package": "from urllib import request\n",
    "the same, dotted": "import urllib.request\n",
    "a name out of it": "from urllib.request import urlopen\n",
    "the standard library's client": "from http.client import HTTPSConnection\n",
    "its module": "from http import client\n",
    "a socket": "import socket\n",
    "a connector": "from socket import create_connection\n",
    "for types only": "if TYPE_CHECKING:\n    import aiohttp\n",
    "by its name": "import importlib\nimportlib.import_module('httpx')\n",
    "by its name, as a keyword": "from importlib import import_module\nimport_module(name='http.client')\n",
    "by the builtin": "__import__('socket')\n",
    "what the guard is built on": "import httpcore\n",
}


@pytest.mark.parametrize("source", AROUND.values(), ids=AROUND)
def test_a_way_around_the_guard_is_found(source: str) -> None:
    assert len(list(check("functions/webhook/handlers.py", ast.parse(source)))) == 1
    assert len(list(check("shared/security/egress/guard.py", ast.parse(source)))) == 1, (
        "the guard's own modules are read too"
    )


@pytest.mark.parametrize(
    "source",
    [
        "from urllib.parse import urlsplit\n",
        "from http import HTTPStatus\n",
        "from .socket import x\n",
        "import sockets\n",
    ],
)
def test_what_opens_no_connection_passes(source: str) -> None:
    assert list(check("functions/webhook/handlers.py", ast.parse(source))) == []


@pytest.mark.parametrize("keyword", ["loopback", "plain_http", "authorities_pem"])
@pytest.mark.parametrize("call", ["EgressPolicy", "egress.EgressPolicy", "replace", "dataclasses.replace"])
def test_a_function_makes_no_exception_to_the_policy(call: str, keyword: str) -> None:
    source = ast.parse(f"p = {call}(policy, {keyword}=everything)\n")
    assert len(list(check("functions/webhook/wiring.py", source))) == 1
    assert list(check("functions/webhook/wiring.py", ast.parse("EgressPolicy(redirects=3)\n"))) == []


def test_a_listed_module_may_import_what_it_is_listed_with_and_no_more() -> None:
    reader = "functions/scan/readers/aws/session.py"
    assert list(check(reader, ast.parse("import boto3\n"))) == []
    assert len(list(check(reader, ast.parse("import socket\n")))) == 1


@pytest.mark.parametrize(
    "name, source",
    [
        ("functions/webhook/deliver.py", "from shared.security.operator_calls import call\n"),
        ("functions/webhook/deliver.py", "from shared.security import operator_calls\n"),
        ("functions/webhook/deliver.py", "import shared.security.operator_calls as calls\n"),
        ("shared/security/webhooks.py", "from .operator_calls import call\n"),
        ("shared/security/webhooks.py", "from . import operator_calls\n"),
        ("shared/http/webhooks.py", "from ..security.operator_calls import call\n"),
    ],
)
def test_calls_to_what_the_operator_names_are_for_listed_modules(name: str, source: str) -> None:
    assert len(list(check(name, ast.parse(source)))) == 1
    assert list(check("functions/auth/oidc.py", ast.parse("from shared.security.operator_calls import call\n"))) == []


def test_a_planted_module_is_found_in_a_tree_and_stale_entries_too(tmp_path: Path) -> None:
    planted = tmp_path / "functions" / "webhook" / "deliver.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("def deliver(url):\n    import httpx\n    httpx.post(url)\n")
    found = list(check_tree(tmp_path))
    assert found[0].startswith("functions/webhook/deliver.py:2: imports httpx")
    assert len(found) == 1 + sum(len(clients) for clients in ALLOWED.values())


def test_this_tree_is_clean() -> None:
    assert list(check_tree(ROOT)) == []
