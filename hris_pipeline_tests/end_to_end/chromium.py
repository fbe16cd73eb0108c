"""A headless Chromium over its own DevTools protocol: enough to open a page, press a key, read it
and take its picture.
"""

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip


def executable() -> str | None:
    """Where Chromium is, if there is one."""
    return next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


class Page:
    """One open page."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One call of the protocol, and its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def text(self) -> str:
        """What a person can read on it."""
        return str(
            self.call("Runtime.evaluate", expression="document.body.innerText")["result"]["value"]
        )

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """The page's text, once it holds ``text``."""
        deadline = time.monotonic() + seconds
        while text not in (seen := self.text()):
            assert time.monotonic() < deadline, f"{text!r} did not appear within {seconds} s"
            time.sleep(0.25)
        return seen

    def press(self, key: str, *, alt: bool = False) -> None:
        """Press and release a key."""
        code = {
            "key": key,
            "code": f"Key{key.upper()}",
            "windowsVirtualKeyCode": ord(key.upper()),
            "modifiers": int(alt),
        }
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **code)

    def picture(self, path: Path) -> None:
        """Save what is seen as a PNG."""
        path.write_bytes(
            base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        )


@contextlib.contextmanager
def opened(url: str, *, width: int = 1600, height: int = 1000) -> Iterator[Page]:
    """Chromium with one page open."""
    program = executable()
    assert program is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [
            program,
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            url,
        ]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stderr is not None
                line = next(line for line in process.stderr if "DevTools listening on" in line)
                root = line.split()[-1].strip()
                with connect(root, max_size=None, proxy=None) as browser:
                    browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
                    targets = json.loads(browser.recv())["result"]["targetInfos"]
                page = next(target["targetId"] for target in targets if target["type"] == "page")
                with connect(
                    f"{root.split('/devtools')[0]}/devtools/page/{page}", max_size=None, proxy=None
                ) as socket:
                    yield Page(socket)
            finally:
                process.kill()
                process.communicate()
