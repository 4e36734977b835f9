"""Licences as distributions write them, judged: of alternatives one is enough, of parts each counts, what is not known is not allowed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from license_expression import ExpressionError

from infra.supply_chain.scanners.licences import expression_of, is_allowed


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("License-Expression: MIT\nLicense: something else", "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License\nLicense: anything", "BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved :: BSD License", "BSD-3-Clause OR MIT"),
        ("Classifier: License :: OSI Approved\nLicense: MIT style", "MIT"),
        ("License: Apache License\n        Version 2.0, January 2004", "Apache-2.0"),
        ("License: GPL-3.0-only", "GPL-3.0-only"),
        ("Classifier: License :: Other/Proprietary License", "Other/Proprietary License"),
        ("License: " + "A" * 61, None),
        ("Summary: nothing is said", None),
    ],
)  # fmt: skip
def test_what_metadata_says(tmp_path: Path, lines: str, expected: str | None) -> None:
    (tmp_path / "METADATA").write_text(f"Metadata-Version: 2.4\nName: some\nVersion: 1\n{lines}\n", "utf-8")
    assert expression_of(metadata.PathDistribution(tmp_path)) == expected


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("AGPL-3.0-or-later", False),
    ],
)
def test_what_is_allowed(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def test_what_spdx_does_not_list_is_told() -> None:
    with pytest.raises(ExpressionError):
        is_allowed("Beerware-With-Strings")
