"""The one place where cflib is imported: late, because it is GPL software and an option."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

from planner_core.errors import ConfigurationError, MissingDriverError

if TYPE_CHECKING:
    from cflib.crazyflie import Crazyflie

URI: Final = re.compile(r"(radio|usb|serial|udp|tcp|prrt)://.+")


def check_uri(uri: str) -> None:
    """Refuse what no driver understands.

    Raises:
        ConfigurationError: Not the address of a Crazyflie.
    """
    if not URI.fullmatch(uri):
        raise ConfigurationError(
            "parameter uri", got=repr(uri),
            expected="e.g. radio://0/80/2M/E7E7E7E7E7 or udp://127.0.0.1:19850",
        )  # fmt: skip


def load_drivers() -> None:
    """Import cflib and register its drivers, once a process.

    Raises:
        MissingDriverError: It is not installed.
    """
    try:
        import cflib.crtp
        from cflib.crtp.udpdriver import UdpDriver
    except ImportError as error:
        raise MissingDriverError(
            "the library cflib cannot be imported", got=error, expected="cflib 0.1.34",
            remedy="Install it into the environment of the bridge: pip install cflib==0.1.34",
        ) from error  # fmt: skip
    if cflib.crtp.CLASSES:
        return
    # Each refused connection would be reported with a traceback; the link reports it in a sentence.
    logging.getLogger("cflib").setLevel(logging.CRITICAL)
    cflib.crtp.init_drivers(enable_serial_driver=True)

    class ResendingUdpDriver(UdpDriver):  # type: ignore[misc]
        """UDP that repeats unanswered requests: one datagram lost would stall the handshake."""

        def __init__(self) -> None:
            super().__init__()
            self.needs_resending = True

    cflib.crtp.CLASSES.insert(0, ResendingUdpDriver)


def make_client(cache: str) -> Crazyflie:
    """A client without a link.

    Args:
        cache: Folder for the robot's tables of contents, which a radio takes seconds to read;
            empty for none.
    """
    from cflib.crazyflie import Crazyflie

    client = Crazyflie(rw_cache=cache or None)
    # cflib pings from a thread of its own. When a send fails, cflib joins that thread while it
    # holds the lock that the thread waits for, and no packet ever leaves again.
    client.connected.add_callback(lambda _uri: client.link_statistics.stop())
    return client


def release(client: Crazyflie) -> None:
    """Close a client without a word to the robot, which may be in the air.

    `Crazyflie.close_link` would send a setpoint with zero thrust first; without a link it only
    ends its threads.
    """
    driver, client.link = client.link, None
    if driver is not None:
        driver.close()
    client.close_link()
