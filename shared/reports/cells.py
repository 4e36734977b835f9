"""Cells of CSV files that people open in spreadsheets. Pure.

Source: RFC 4180; OWASP, "CSV Injection".
"""

from __future__ import annotations

# What spreadsheets take for the start of a formula, also behind blanks, in its wide forms and behind a line break.
_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAKS = ("\t", "\r", "\n")


def inert(cell: str) -> str:
    """Keep a spreadsheet from running a cell: what would be a formula is quoted."""
    return f"'{cell}" if cell.startswith(_BREAKS) or cell.lstrip().startswith(_FORMULAS) else cell
