"""Logging of the launch and of the output of its processes.

Everything goes to the launch's log file; what also goes to the screen depends on the level and,
for processes, on their ``output`` setting.
"""

from .._unsupported import refuse_names
from .configuration import LaunchConfig, get_logger, launch_config, reset
from .output import get_output_loggers, normalize_output_configuration

__all__ = [
    "LaunchConfig",
    "get_logger",
    "get_output_loggers",
    "launch_config",
    "normalize_output_configuration",
    "reset",
]

__getattr__ = refuse_names(
    __name__, {"handlers", "log_launch_config", "with_per_logger_formatting"}
)
