"""An analysis in the forms that CI systems and people read. Pure: text from a stored answer.

An answer is the mapping that `domain/answer.py` makes; `id`, `created_at` and `fail_on` of its row may stand beside its members. Members
that an answer has not got are left out of what is written, so that old answers stay readable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .junit import to_junit
from .markdown import to_markdown
from .sarif import to_sarif


@dataclass(frozen=True, slots=True)
class Output:
    """One form.

    Attributes:
        content_type: media type.
        write: from an answer to text.
    """

    content_type: str
    write: Callable[[Mapping[str, Any]], str]


OUTPUTS: Final[Mapping[str, Output]] = {
    "sarif": Output("application/sarif+json", to_sarif),
    "markdown": Output("text/markdown", to_markdown),
    "junit": Output("application/xml", to_junit),
}

__all__ = ["OUTPUTS", "Output", "to_junit", "to_markdown", "to_sarif"]
