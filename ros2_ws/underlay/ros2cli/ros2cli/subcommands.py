"""How a group declares its verbs."""

import argparse
from collections.abc import Callable


class Verbs:
    """Collects the verbs of one command group.

    Args:
        parser: The parser of the group, such as that of ``ros2 topic``.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._verbs = parser.add_subparsers(title="Verbs", dest="verb", metavar="<verb>")

    def add(
        self, name: str, run: Callable[[argparse.Namespace], int | None], text: str
    ) -> argparse.ArgumentParser:
        """Declare a verb.

        Args:
            name: The word on the command line.
            run: Called with the parsed arguments; its return value is the exit code.
            text: One line of help.

        Returns:
            The parser of the verb, for its own arguments.
        """
        parser = self._verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
        parser.set_defaults(run=run)
        return parser


def positive_float(text: str) -> float:
    """Parse a number above zero for argparse."""
    value = float(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a positive number, got '{text}'")
    return value


def non_negative_float(text: str) -> float:
    """Parse a number that is zero or above for argparse."""
    value = float(text)
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got '{text}'")
    return value


def positive_int(text: str) -> int:
    """Parse a whole number above zero for argparse."""
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a positive whole number, got '{text}'")
    return value


def non_negative_int(text: str) -> int:
    """Parse a whole number that is zero or above for argparse."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got '{text}'")
    return value
