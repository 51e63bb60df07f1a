"""Lets ``python -m ros2cli`` stand for the installed command."""

import sys

from ros2cli.cli import main

if __name__ == "__main__":
    sys.exit(main())
