"""What the emulator tells its user when it cannot go on."""

from __future__ import annotations


class EmulatorError(Exception):
    """Something the user can put right; the message is one clear line, `detail` may follow it.

    Attributes:
        detail: further lines, such as the end of a log.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail
