"""docs/standards.md names a test for each line of a standard: they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "standards.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), dict.fromkeys(NAMED), ids=str)
def test_a_named_test_exists(file, name):
    tree = ast.parse((ROOT / file).read_text())

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_line_of_a_table_names_its_proof():
    lines = [line for line in PAGE.splitlines() if line.startswith("| ") and "| asked for" not in line]

    assert len(lines) > 60
    assert [line for line in lines if not re.search(r"\| `tests/[\w/]+\.py::\w+` \|$", line)] == []
