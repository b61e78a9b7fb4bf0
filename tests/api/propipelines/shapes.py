"""Compares an answer with the shape of an example: the same keys, the same types, nulls where it has nulls.

A shape is what tests/api/propipelines/document.json holds: "int", "text", "moment", "null|text" for a
value, {key: shape} for an object (`key?` where not every example has it), [shape] for the items of a list,
{"or null": shape} for an object that may be missing.
"""

from __future__ import annotations

import re
from typing import Any

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "moment" if MOMENT.fullmatch(value) else "text"
    return type(value).__name__


def differences(shape: Any, answer: Any, at: str = "") -> list[str]:
    """What an answer lacks, has beyond the shape, or has of another type; each as a sentence."""
    if isinstance(shape, dict) and "or null" in shape:
        return [] if answer is None else differences(shape["or null"], answer, at)
    if isinstance(shape, dict):
        if not isinstance(answer, dict):
            return [f"{at or 'the answer'} is {kind(answer)}, not an object"]
        return in_object(shape, answer, at)
    if isinstance(shape, list):
        if not isinstance(answer, list):
            return [f"{at or 'the answer'} is {kind(answer)}, not a list"]
        return in_list(shape, answer, at)
    return [] if kind(answer) in shape.split("|") else [f"{at} is {kind(answer)}, not {shape}"]


def in_object(shape: dict[str, Any], answer: dict[str, Any], at: str) -> list[str]:
    known = {key.removesuffix("?"): inner for key, inner in shape.items()}
    found = [f"{at}.{key} is missing" for key in shape if not key.endswith("?") and key not in answer]
    found += [f"{at}.{key} is extra" for key in answer if key not in known]
    for key, value in answer.items():
        if key in known:
            found += differences(known[key], value, f"{at}.{key}")
    return found


def in_list(shape: list[Any], answer: list[Any], at: str) -> list[str]:
    if shape and not answer:
        return [f"{at or 'the answer'} is an empty list: the example has items"]
    if not shape:
        return [] if not answer else [f"{at} has items: the example has none"]
    return [fault for item in answer for fault in differences(shape[0], item, f"{at}[]")]
