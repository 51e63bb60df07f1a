"""Texts that hold plain data: YAML and JSON from files and messages that others wrote."""

from __future__ import annotations

import json
from typing import Any

import yaml


def read_yaml(text: str) -> Any:
    """What a text in YAML says, made of nothing but Python's plain types.

    Raises:
        ValueError: It is no YAML, or is nested deeper than anybody writes.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(_reason(error)) from error


def read_json(text: str) -> Any:
    """What a text in JSON says.

    Raises:
        ValueError: It is no JSON, or is nested deeper than anybody writes.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """What is wrong in one line, where YAML draws the place."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark):
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return str(error)
