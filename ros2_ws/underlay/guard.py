"""Keeps the stand-ins out of an installation that has the genuine packages."""

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

_MARKER = "driftpilot_stand_in"


def refuse_where_genuine(package: str) -> None:
    """Stop the build of a stand-in where the genuine package is installed.

    Every ``setup.py`` of the underlay calls this. A stand-in carries ``<driftpilot_stand_in/>`` in
    the ``<export>`` of its ``package.xml``, so an earlier build of it does not count.

    Args:
        package: Name of the package that is being built.

    Raises:
        SystemExit: A prefix of AMENT_PREFIX_PATH has the genuine package.
    """
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        manifest = Path(prefix, "share", package, "package.xml")
        if not prefix or not manifest.is_file():
            continue
        if ElementTree.parse(manifest).find(f"export/{_MARKER}") is None:
            # Printed, not raised with: build tools swallow what an exit has to say.
            print(
                f"the genuine package '{package}' is installed in {prefix}: the stand-in must "
                "not hide it. Nothing of ros2_ws/underlay needs to be built here.",
                file=sys.stderr,
            )
            raise SystemExit(1)
