"""Messages as each kind of channel reads them, and what may stand in them."""

from __future__ import annotations

from collections.abc import Mapping

from . import generic, slack, teams
from .fitting import MOST_BYTES, Message, Writer, fitted, message_of
from .mail import compose, measured

__all__ = ["MOST_BYTES", "WRITERS", "Message", "compose", "fitted", "measured", "message_of"]

# The kinds of channels that are called over HTTP.
WRITERS: Mapping[str, Writer] = {"webhook": generic.write, "slack": slack.write, "teams": teams.write}
