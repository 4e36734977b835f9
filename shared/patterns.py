"""Texts that several bodies take: globs, reasons, names."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.rules.globs import MOST_LENGTH, glob_problem


def _checked(pattern: str) -> str:
    if (problem := glob_problem(pattern)) is not None:
        raise ValueError(problem)
    return pattern


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("say why, in words")
    return text


Glob = Annotated[
    str,
    AfterValidator(_checked),
    Field(max_length=MOST_LENGTH, description="`*` is any text, `?` one character, everything else itself"),
]
Reason = Annotated[str, AfterValidator(_said), Field(min_length=1, max_length=500)]
