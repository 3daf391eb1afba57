"""The text of parts, read without importing them, so that no framework is needed."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


def source(topic: str, spec: str) -> str:
    """The text of what plays a part, as it stands in the topic's port.py.

    Raises `LookupError` where there is none of that name.
    """
    name = spec.partition(":")[0]
    path = Path(__file__).parent / topic / "port.py"
    text, tree = _parsed(path)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise LookupError(f"{path} defines no {name}")


@cache
def _parsed(path: Path) -> tuple[str, ast.Module]:
    text = path.read_text()
    return text, ast.parse(text)
