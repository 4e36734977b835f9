"""Records a fixture group: applies its configuration once and writes `state.json` and `requests.jsonl.gz` beside it.

Run as `python -m tests.support.record_aws <group>`. The recording is replayed at once, and both accounts must hold the
same resources; what the engine reports right after the apply is printed.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

from local_emulator.moto_server import PLACEHOLDER

from .aws_account import FIXTURES, State, drifts, load_state, moto_account, replay, scan, terraform_apply


def record(group: str) -> int:
    """Record one group; returns the number of drifts right after the apply."""
    folder = FIXTURES / group
    with tempfile.TemporaryDirectory() as temporary:
        work, requests = Path(temporary) / "work", Path(temporary) / "requests.jsonl"
        work.mkdir()
        with moto_account(recording=requests) as endpoint:
            state = terraform_apply(folder, endpoint, work)
            kept = requests.read_bytes()  # before the scan, whose reads are no part of the account
            original = {(item.type, item.key) for item in scan(endpoint).live}
            _write_state(folder / "state.json", state, endpoint)
            (folder / "requests.jsonl.gz").write_bytes(gzip.compress(kept, mtime=0))
    with moto_account() as endpoint:
        replay(endpoint, folder / "requests.jsonl.gz")
        scanned = scan(endpoint)
        copy = {(item.type, item.key) for item in scanned.live}
        found = drifts(load_state(group, endpoint), scanned)
    for name in sorted(original ^ copy):
        print("differs after replay:", *name)
    for gap in scanned.not_checked:
        print("not checked:", gap)
    for item in sorted(found):
        print("drift:", *item)
    print(
        f"{group}: {len(kept.splitlines())} requests, {len(copy)} live resources, {len(found)} drifts after the apply"
    )
    return len(found) + len(original ^ copy)


def _write_state(path: Path, state: State, endpoint: str) -> None:
    content = json.dumps({**state, "lineage": "00000000-0000-0000-0000-000000000000"}, indent=1, sort_keys=True)
    path.write_text(content.replace(endpoint.removeprefix("http://"), PLACEHOLDER) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(1 if record(sys.argv[1]) else 0)
