"""Events: sealed columns are wrapped or encrypted anew, off the clock."""

from __future__ import annotations

from dataclasses import asdict

from shared.http.call import Call
from shared.http.reply import Reply

from ..wiring import ScanDeps

_WORK_SECONDS = 150.0  # the scheduler waits 180 s for an answer and then asks again


def tend_sealed_columns(call: Call, deps: ScanDeps) -> Reply:
    """Open a run when rows are wrapped under an older KMS version than the present one, and carry on with all that are open.

    An operator's runs are rows too (infra/runbooks/envelope-key.md).
    """
    return Reply.ok(asdict(deps.resealer.tend(call.actor, seconds=_WORK_SECONDS)))
