"""Where the output of processes goes."""

import logging
from collections.abc import Iterable, Mapping

from .configuration import get_logger, launch_config

_SOURCES = ("stdout", "stderr", "both")
_SINKS = ("screen", "log", "own_log")
_ALIASES: dict[str, dict[str, set[str]]] = {
    "screen": {"both": {"screen", "log"}},
    "log": {"both": {"log"}, "stderr": {"screen"}},
    "both": {"both": {"screen", "log"}},
    "own_log": {"stdout": {"own_log"}, "stderr": {"own_log"}, "both": {"own_log"}},
    "full": {
        "stdout": {"own_log"},
        "stderr": {"own_log"},
        "both": {"screen", "log", "own_log"},
    },
}

OutputConfiguration = str | Mapping[str, str | Iterable[str]]


def normalize_output_configuration(config: OutputConfiguration) -> dict[str, set[str]]:
    """Return the sinks ('screen', 'log', 'own_log') of 'stdout', 'stderr' and 'both'.

    Raises:
        ValueError: A source, a sink or the name of a whole configuration is unknown.
    """
    if isinstance(config, str):
        if config not in _ALIASES:
            raise ValueError(
                f"output {config!r} is unknown, expected one of {', '.join(sorted(_ALIASES))}"
            )
        config = _ALIASES[config]
    sinks_of: dict[str, set[str]] = {source: set() for source in _SOURCES}
    for source, sinks in config.items():
        if source not in _SOURCES:
            raise ValueError(
                f"output source {source!r} is unknown, expected one of {', '.join(_SOURCES)}"
            )
        names = {sinks} if isinstance(sinks, str) else set(sinks)
        if not names <= set(_SINKS):
            raise ValueError(
                f"output sink {sorted(names - set(_SINKS))} is unknown, expected one of "
                f"{', '.join(_SINKS)}"
            )
        sinks_of[source] = names
    return sinks_of


def get_output_loggers(
    process_name: str, output_config: OutputConfiguration
) -> tuple[logging.Logger, logging.Logger]:
    """Return the loggers of a process's stdout and stderr.

    Args:
        process_name: Label of the process, which names its own log files.
        output_config: One of 'screen', 'log', 'both', 'own_log', 'full', or a dict from
            'stdout', 'stderr' and 'both' to the sinks 'screen', 'log' and 'own_log'.

    Raises:
        ValueError: The configuration is unknown.
    """
    sinks = normalize_output_configuration(output_config)
    stdout, stderr = (
        _logger(process_name, source, sinks[source], sinks["both"])
        for source in ("stdout", "stderr")
    )
    return stdout, stderr


def _logger(process_name: str, source: str, own: set[str], both: set[str]) -> logging.Logger:
    logger = get_logger(f"{process_name}-{source}")
    logger.handlers.clear()
    logger.filters.clear()
    logger.propagate = False  # the parent would log to screen and file unconditionally
    logger.setLevel(logging.INFO)
    logger.addFilter(_mark_as_process_output)
    if "screen" in own | both:
        logger.addHandler(launch_config.get_screen_handler())
    if "log" in own | both:
        logger.addHandler(launch_config.get_log_file_handler())
    if "own_log" in own:
        logger.addHandler(launch_config.get_log_file_handler(f"{process_name}-{source}.log"))
    if "own_log" in both:
        logger.addHandler(launch_config.get_log_file_handler(f"{process_name}.log"))
    return logger


def _mark_as_process_output(record: logging.LogRecord) -> bool:
    record.is_process_output = True
    return True
