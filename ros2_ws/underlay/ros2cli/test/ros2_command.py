"""The command of this source tree as a subprocess."""

import subprocess
import sys
from pathlib import Path


class Ros2:
    """Runs the command of this source tree.

    Args:
        environment: Variables for all of its processes.
        folder: Working directory.
    """

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.folder = folder

    def start(self, *arguments: str, **options) -> subprocess.Popen[str]:
        """Start the command with both outputs as pipes."""
        return subprocess.Popen(
            [sys.executable, "-m", "ros2cli", *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: str, timeout_s: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*arguments)
        try:
            output, errors = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def output(self, *arguments: str) -> str:
        """Return the standard output of a command that has to succeed."""
        result = self.run(*arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def failure(self, *arguments: str, code: int = 1) -> str:
        """Return the standard error of a command that has to fail without a traceback."""
        result = self.run(*arguments)
        assert result.returncode == code, (result.stdout, result.stderr)
        assert "Traceback" not in result.stderr
        return result.stderr
