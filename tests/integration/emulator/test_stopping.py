"""A process of the emulator ends when it is told to, whatever its threads do at that moment."""

from __future__ import annotations

import subprocess
import sys

from tests.support.database import ROOT

# Python's own handlers run on the main thread alone: it sleeps while the signal reaches the other one.
_SIGNAL_TO_ANOTHER_THREAD = """
import signal, threading, time
from local_emulator.stopping import when_told_to_stop

stop = when_told_to_stop()
other = threading.Thread(target=time.sleep, args=(60,), daemon=True)
other.start()
threading.Timer(0.3, lambda: signal.pthread_kill(other.ident, signal.SIGTERM)).start()
stop.wait()
"""

# The signal comes while the main thread holds the lock of what the signal sets.
_SIGNAL_UNDER_THE_LOCK = """
import os, signal
from local_emulator.stopping import when_told_to_stop

stop = when_told_to_stop()
with stop._cond:
    os.kill(os.getpid(), signal.SIGTERM)
    sum(range(1000))
stop.wait()
"""

_ANOTHER_SIGNAL_FIRST = """
import os, signal, sys
from local_emulator.stopping import when_told_to_stop

stop = when_told_to_stop()
signal.signal(signal.SIGUSR1, lambda *_: None)
os.kill(os.getpid(), signal.SIGUSR1)
if stop.wait(0.3):
    sys.exit("it stops for a signal that is none of its own")
os.kill(os.getpid(), signal.SIGINT)
stop.wait()
"""


def run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=20, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_signal_that_reaches_another_thread_is_heard() -> None:
    run(_SIGNAL_TO_ANOTHER_THREAD)


def test_a_signal_while_the_events_lock_is_held_is_heard() -> None:
    run(_SIGNAL_UNDER_THE_LOCK)


def test_other_signals_stop_nothing() -> None:
    run(_ANOTHER_SIGNAL_FIRST)
