"""Command-line options from typed configuration classes.

A configuration is a frozen dataclass whose docstring explains each attribute; the option's name,
type, default and help come from there, so that they are written once.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import typing
from typing import Any, TypeVar

Config = TypeVar("Config")


def add_options(parser: argparse.ArgumentParser, config: type) -> None:
    """Add an option for each field of a configuration class."""
    group = parser.add_argument_group(config.__name__)
    descriptions = attribute_descriptions(config)
    for name, kind in typing.get_type_hints(config).items():
        default = getattr(config, name)
        option = f"--{name.replace('_', '-')}"
        text = f"{descriptions[name]} (default: {default})".replace("%", "%%")
        if kind is bool:
            group.add_argument(
                option, action=argparse.BooleanOptionalAction, default=default, help=text
            )
        else:
            group.add_argument(option, type=kind, default=default, metavar=kind.__name__, help=text)


def from_options(config: type[Config], options: argparse.Namespace) -> Config:
    """The configuration that the parsed options describe."""
    names = [field.name for field in dataclasses.fields(typing.cast(Any, config))]
    return config(**{name: getattr(options, name) for name in names})


def attribute_descriptions(config: type) -> dict[str, str]:
    """Text of each entry of the ``Attributes`` section of a class.

    Raises:
        KeyError: A field has no entry.
    """
    section = inspect.getdoc(config).partition("Attributes:\n")[2]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    found = {name: re.sub(r"\s+", " ", text) for name, text in entries}
    for field in dataclasses.fields(config):
        if field.name not in found:
            raise KeyError(f"{config.__name__}.{field.name} is not described in its docstring")
    return found
