"""Arguments of a launch on the command line."""

from collections.abc import Iterable


def parse_launch_arguments(arguments: Iterable[str]) -> list[tuple[str, str]]:
    """Split arguments of the form `name:=value`.

    Returns:
        Pairs of name and value; the last one of a name counts.

    Raises:
        ValueError: If an argument has another form.
    """
    parsed: dict[str, str] = {}
    for argument in arguments:
        name, separator, value = argument.partition(":=")
        if not separator or not name:
            raise ValueError(
                f"malformed launch argument '{argument}', expected format '<name>:=<value>'"
            )
        parsed[name] = value
    return list(parsed.items())
