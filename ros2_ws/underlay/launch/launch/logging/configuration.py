"""Where log records of the launch go, and in what form."""

import datetime
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

_LOG_FILE = "launch.log"
_ROOT = "driftpilot_launch"  # apart from the loggers of programs that run a launch
_SCREEN_FORMATS = {
    "default": "[{levelname}] [{name}]: {message}",
    "default_with_timestamp": "{created:.7f} [{levelname}] [{name}]: {message}",
    "verbose": "{created:.7f} [{levelname}] [{name}] {filename}:{lineno}: {message}",
}


class _ScreenHandler(logging.StreamHandler[Any]):
    """Writes to what sys.stdout is at the time: tests and tools replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.terminator = "\n"

    @property
    def stream(self) -> Any:
        return sys.stdout


class _Formatter(logging.Formatter):
    """Formats records by a pattern, lines of processes by a simpler one."""

    def __init__(self, pattern: str, process_pattern: str) -> None:
        super().__init__(pattern, style="{")
        self._process_formatter = logging.Formatter(process_pattern, style="{")

    def format(self, record: logging.LogRecord) -> str:
        record.name = record.name.removeprefix(f"{_ROOT}.").replace(_ROOT, "launch")
        if getattr(record, "is_process_output", False):
            return self._process_formatter.format(record)
        return super().format(record)


class LaunchConfig:
    """The configuration of a launch's logging; ``launch_config`` is the one in use."""

    def __init__(self) -> None:
        """Create the default configuration; nothing is opened before it is needed."""
        self._level = logging.INFO
        self._log_dir: Path | None = None
        self._files: dict[str, logging.FileHandler] = {}
        self._announced = False
        self._screen = _ScreenHandler()
        self.set_screen_format("default")

    @property
    def level(self) -> int:
        """Lowest level that is logged."""
        return self._level

    @level.setter
    def level(self, level: int | str) -> None:
        if isinstance(level, str):
            names = logging.getLevelNamesMapping()
            if level.upper() not in names:
                raise ValueError(f"no log level {level!r}, expected one of {sorted(names)}")
            level = names[level.upper()]
        self._level = level
        logging.getLogger(_ROOT).setLevel(level)

    @property
    def log_dir(self) -> str:
        """Folder of the log files; created when first asked for."""
        if self._log_dir is None:
            now = datetime.datetime.now().strftime("%Y-%m-%d-%H-%M-%S-%f")
            name = f"{now}-{socket.gethostname()}-{os.getpid()}"
            self.log_dir = _default_log_folder() / name
        return str(self._log_dir)

    @log_dir.setter
    def log_dir(self, folder: str | os.PathLike[str]) -> None:
        if self._files:
            raise RuntimeError("the log folder is in use, it cannot change any more")
        self._log_dir = Path(folder)
        self._log_dir.mkdir(parents=True, exist_ok=True)

    def get_log_file_path(self, file_name: str = _LOG_FILE) -> str:
        """Return the path of a log file."""
        return os.path.join(self.log_dir, file_name)

    def get_screen_handler(self) -> logging.Handler:
        """Return the handler that writes to the screen."""
        return self._screen

    def get_log_file_handler(self, file_name: str = _LOG_FILE) -> logging.Handler:
        """Return the handler that writes to a log file, which is opened when first needed."""
        if file_name not in self._files:
            handler = logging.FileHandler(self.get_log_file_path(file_name), delay=True)
            handler.setFormatter(
                _Formatter(
                    "{created:.7f} [{levelname}] [{name}]: {message}", "{created:.7f} {message}"
                )
            )
            self._files[file_name] = handler
        return self._files[file_name]

    def set_screen_format(self, screen_format: str) -> None:
        """Choose the format on the screen: a known name, or a ``{}`` pattern of log records.

        Raises:
            ValueError: It is neither.
        """
        pattern = _SCREEN_FORMATS.get(screen_format, screen_format)
        if "{" not in pattern:
            raise ValueError(
                f"screen format {screen_format!r} is none of {sorted(_SCREEN_FORMATS)} and no "
                "pattern with '{message}'"
            )
        self._screen.setFormatter(_Formatter(pattern, "{message}"))

    def announce(self) -> None:
        """Say where the log files are, once."""
        if not self._announced:
            self._announced = True
            logger = get_logger("launch")
            logger.info(f"All log files can be found below {self.log_dir}")
            logger.info(f"Default logging verbosity is set to {logging.getLevelName(self._level)}")

    def close(self) -> None:
        """Close the log files."""
        for handler in self._files.values():
            handler.close()
        self._files.clear()


class _MainHandler(logging.Handler):
    """Passes the launch's own records to the screen and the log file of the time."""

    def emit(self, record: logging.LogRecord) -> None:
        launch_config.get_screen_handler().handle(record)
        launch_config.get_log_file_handler().handle(record)


def _default_log_folder() -> Path:
    if os.environ.get("ROS_LOG_DIR"):
        return Path(os.environ["ROS_LOG_DIR"]).expanduser()
    home = os.environ.get("ROS_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".ros") / "log"


def get_logger(name: str | None = None) -> logging.Logger:
    """Return a logger of the launch; its records go to the screen and the log file."""
    root = logging.getLogger(_ROOT)
    if not root.handlers:
        root.addHandler(_MainHandler())
        root.setLevel(launch_config.level)
        root.propagate = False
    return root if name is None else root.getChild(name)


launch_config = LaunchConfig()


def reset() -> None:
    """Go back to the default configuration."""
    launch_config.close()
    vars(launch_config).update(vars(LaunchConfig()))  # other modules hold the object
    logging.getLogger(_ROOT).setLevel(launch_config.level)
