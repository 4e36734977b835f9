"""Who may open a connection: `python -m infra.lint.egress`.

Calls to user-given URLs go through `shared/security/egress`. Any other module of the functions that imports an HTTP client,
a socket, or the calls to what the operator names, is either in the list below, with its reason, or a way around the guard. So
are exceptions to the guard's policy.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("functions", "shared")
GUARD = "shared/security/egress/"
CLIENTS = frozenset({
    "aiohttp", "boto3", "botocore", "ftplib", "h11", "h2", "http.client", "httpcore", "httpx", "imaplib", "nntplib", "poplib",
    "pycurl", "requests", "smtplib", "socket", "socketserver", "telnetlib", "urllib.request", "urllib3", "websocket",
    "websockets", "xmlrpc.client",
    "shared.security.operator_calls",  # ours, without the guard's rules on addresses
})  # fmt: skip
ALLOWED = {
    "shared/security/egress/transport.py": ("httpcore", "socket"),  # the guard: dials checked addresses
    "shared/security/egress/resolver.py": ("socket",),  # the guard: looks names up
    "shared/security/tokens.py": ("shared.security.operator_calls",),  # key sets of configured issuers
    "functions/auth/oidc.py": ("shared.security.operator_calls",),  # the configured sign-in providers
    "shared/data/connections.py": ("aiohttp",),  # errors of the database's connector
    "functions/analyze/language_models/bedrock.py": ("botocore",),  # signs, and opens nothing
    "functions/analyze/language_models/choosing.py": ("shared.security.operator_calls",),  # the operator's own model
    "functions/webhook/outlets/mailing.py": ("smtplib",),  # the operator's own server
    "functions/scan/readers/aws/session.py": ("boto3", "botocore"),  # AWS's own endpoints
    "functions/scan/readers/aws/api_models.py": ("boto3", "botocore"),  # makes sessions, and opens nothing
    "functions/scan/readers/aws/base.py": ("botocore",),  # its errors
    "functions/scan/readers/aws/trail.py": ("botocore",),  # its errors
    "functions/scan/state_sources/s3.py": ("botocore",),  # its errors
}
EXCEPTIONS = frozenset({"authorities_pem", "loopback", "plain_http"})


def check_tree(root: Path) -> Iterator[str]:
    """Yield every way around the guard, one line each, and every entry of the list that nothing needs any more."""
    used: set[tuple[str, str]] = set()
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        name, tree = path.relative_to(root).as_posix(), ast.parse(path.read_text("utf-8"))
        used |= {(name, client) for client, _ in _clients(name, tree)}
        yield from check(name, tree)
    for name, clients in ALLOWED.items():
        yield from (
            f"{name}: no longer imports {client}: take it off the list in infra/lint/egress.py"
            for client in clients
            if (name, client) not in used
        )


def check(name: str, tree: ast.Module) -> Iterator[str]:
    """Yield the ways around the guard in one module.

    Args:
        name: its path in the tree.
        tree: what it holds.
    """
    allowed = ALLOWED.get(name, ())
    for client, line in _clients(name, tree):
        if client not in allowed:
            yield f"{name}:{line}: imports {client}: call user-given URLs through shared.security.egress"
    if name.startswith(GUARD):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in {"EgressPolicy", "replace"}:
            yield from (
                f"{name}:{node.lineno}: {keyword.arg}: exceptions to the egress policy are the emulator's and tests' only"
                for keyword in node.keywords
                if keyword.arg in EXCEPTIONS
            )


def _clients(name: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each client that is imported, in whatever way, and the line."""
    package = name.split("/")[:-1]
    for node in ast.walk(tree):
        for module in _imported(node, package):
            parts = module.split(".")
            for client in {".".join(parts[:length]) for length in range(1, len(parts) + 1)} & CLIENTS:
                yield client, getattr(node, "lineno", 0)


def _imported(node: ast.AST, package: Sequence[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        inside = package[: len(package) - node.level + 1] if node.level else []
        start = [*inside, *([node.module] if node.module else [])]
        yield from (".".join([*start, alias.name]) for alias in node.names)
    elif isinstance(node, ast.Call) and _called(node) in {"__import__", "import_module", "find_spec"}:
        words = [*node.args, *(keyword.value for keyword in node.keywords)]
        yield from (word.value for word in words if isinstance(word, ast.Constant) and isinstance(word.value, str))


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def main(_arguments: Sequence[str]) -> int:
    """Check this tree."""
    found = list(check_tree(ROOT))
    for line in found:
        print(line)
    print(f"egress: {len(found)} found" if found else "egress: every connection is accounted for")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
