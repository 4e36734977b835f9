"""Keeps the schema-only providers running between runs of Terraform, so that their schema is read once.

Owns one process for each provider, which Terraform is told to use instead of starting one (`TF_REATTACH_PROVIDERS`, what it has for debugging
providers). It answers for the types that the sources name and no others: Terraform reads a schema anew with each run, and Google's are long.
Where a mirror's provider is no schema-only one, nothing is kept and Terraform starts it by itself.

Source: https://developer.hashicorp.com/terraform/plugin/debugging
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PROTOCOL = 5
_TYPE = re.compile(r'^(?:resource|data) "(google_\w+)"', re.MULTILINE)

# Runs in the providers' own environment: one connection for each use, one schema for all of them.
_PROGRAM = """
import contextlib, signal, socket, sys, threading
from pathlib import Path
home, name, path, types = Path(sys.argv[1]), sys.argv[2], sys.argv[3], set(sys.argv[4:])
sys.path.insert(0, str(home))
from offline_provider import messages
from offline_provider.grpc_server import GrpcConnection
from offline_provider.schema import ProviderSchema, message_path
from offline_provider.service import SERVICE, OfflineProvider

whole = ProviderSchema(message_path(home / "schema", name)).message
for entries in (whole.resource_schemas, whole.data_source_schemas):
    kept = [entry for entry in entries if entry.key in types]
    del entries[:]
    entries.extend(kept)
schema = ProviderSchema(Path(path + ".schema"))
schema.path.write_bytes(whole.SerializeToString())
schema.content, schema.resources, schema.data_sources
threading.Thread(target=lambda: (sys.stdin.read(), __import__("os")._exit(0)), daemon=True).start()


def serve(peer):
    connection = GrpcConnection(peer)
    connection.add_service(SERVICE, OfflineProvider(schema).calls())
    connection.add_service("plugin.GRPCController", {"Shutdown": connection.shutdown})
    with peer, contextlib.suppress(OSError):  # whoever called went away
        connection.serve()


with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@contextmanager
def resident(mirrors: Sequence[Path], sources: Path) -> Iterator[dict[str, str]]:
    """Keep the providers running for the length of a block; yields the variables that tell Terraform, none where nothing is kept.

    Args:
        mirrors: where providers lie.
        sources: every configuration that is run meanwhile.
    """
    types = {name for file in sources.rglob("*.tf") for name in _TYPE.findall(file.read_text("utf-8"))}
    running: list[subprocess.Popen[str]] = []
    told: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="providers-") as folder:
        try:
            for home, address in _schema_only(mirrors):
                path = f"{folder}/{address.rsplit('/', 1)[1]}"
                process = _start(home, address.rsplit("/", 1)[1], path, sorted(types))
                running.append(process)
                if process.stdout is None or process.stdout.readline() != "ready\n":
                    continue  # another version of the stand-in: Terraform starts it
                told[address] = {
                    "Protocol": "grpc", "ProtocolVersion": _PROTOCOL, "Pid": process.pid, "Test": True,
                    "Addr": {"Network": "unix", "String": path},
                }  # fmt: skip
            yield {"TF_REATTACH_PROVIDERS": json.dumps(told)} if told else {}
        finally:
            for process in running:
                process.communicate()  # the end of its input is its end


def _schema_only(mirrors: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each schema-only provider: where its program is, and its address HOST/NAMESPACE/TYPE."""
    for mirror in mirrors:
        for place in sorted(mirror.glob("*/*/*")):
            if (mirror.parent / "schema" / f"{place.name}.schema").is_file():
                yield mirror.parent, place.relative_to(mirror).as_posix()


def _start(home: Path, name: str, path: str, types: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(home / "venv" / "bin" / "python"), "-Es", "-c", _PROGRAM, str(home), name, path, *types],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
