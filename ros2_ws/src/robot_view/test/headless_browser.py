"""A headless browser for tests, driven over its own debugging protocol."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # WebGL without a graphics card.
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # No name but loopback resolves: a page that needs the internet fails here.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
    "--window-size=1280,800",
)


def find_browser() -> str | None:
    """The browser of this machine, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page in a browser with an empty profile.

    Args:
        profile: Empty folder.
    """

    def __init__(self, profile: Path) -> None:
        executable = find_browser()
        assert executable is not None
        command = [executable, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.requests: list[str] = []
        """Address of everything that the page asked for."""
        self._numbers = itertools.count(1)
        self._session: str | None = None
        port_file = profile / "DevToolsActivePort"
        try:
            wait_until(lambda: port_file.exists() and len(port_file.read_text().split()) == 2, 90.0)
        except TimeoutError:
            self._process.kill()
            self._process.wait()
            raise
        port, path = port_file.read_text().split()
        self._socket = connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None)
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        self._call("Network.enable")
        # The page talks to its server from a worker, whose requests are reported apart.
        self._call(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True, flatten=True
        )

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._session = None
        self._call("Browser.close")
        self._socket.close()
        self._process.wait(timeout=60.0)

    @property
    def hosts(self) -> set[str]:
        """Hosts that the page asked; inline data has none."""
        return {host for url in self.requests if (host := urlsplit(url).hostname)}

    def open(self, url: str) -> None:
        """Go to a page."""
        self._call("Page.navigate", url=url)

    def text(self) -> str:
        """The visible text of the page."""
        expression = "document.body ? document.body.innerText : ''"
        return str(self._call("Runtime.evaluate", expression=expression)["result"]["value"])

    def screenshot(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = self._send(method, self._session, parameters)
        while True:
            message = json.loads(self._socket.recv(timeout=60.0))
            if "method" in message:
                self._on_event(message["method"], message["params"])
            elif message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return dict(message["result"])

    def _send(self, method: str, session: str | None, parameters: dict[str, Any]) -> int:
        number = next(self._numbers)
        request: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            request["sessionId"] = session
        self._socket.send(json.dumps(request))
        return number

    def _on_event(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(parameters["url"])
        elif method == "Target.attachedToTarget" and parameters["waitingForDebugger"]:
            self._send("Network.enable", parameters["sessionId"], {})
            self._send("Runtime.runIfWaitingForDebugger", parameters["sessionId"], {})


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    """Return as soon as a condition holds.

    Raises:
        TimeoutError: It does not, in the time given.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s")
        time.sleep(0.05)
