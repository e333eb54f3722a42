"""A real browser, driven over the DevTools protocol on a pipe: no port, no driver, no package.

Chromium speaks JSON messages that end with a zero byte on its file descriptors 3 (in) and 4 (out) when it is started
with ``--remote-debugging-pipe``. The test runs as root in a container, so its sandbox is off: it opens only our page.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: `make setup-services` installs Debian's package"
)


class Browser:
    """One headless browser with one page."""

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        self._number = 0
        self.said: list[dict[str, Any]] = []
        to_child, from_us = os.pipe()
        to_us, from_child = os.pipe()
        words = [
            CHROMIUM,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        # The shell puts the pipes where Chromium looks for them, whatever numbers they have here.
        plumbing = f'exec "$@" 3<&{to_child} 4>&{from_child}'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", plumbing, "bash", *words],
            pass_fds=(to_child, from_child),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_child)
        os.close(from_child)
        self._out = os.fdopen(from_us, "wb", buffering=0)
        self._in = os.fdopen(to_us, "rb")
        target = self.call("Target.createTarget", url="about:blank", session=False)["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True, session=False)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "DOM", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._process.kill()
        self._process.wait()
        self._in.close()

    def call(self, method: str, *, session: bool = True, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are kept in ``said``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self.said.append(answer)

    def _next(self) -> dict[str, Any]:
        raw = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            assert byte, "the browser ended"
            raw += byte
        return dict(json.loads(raw))

    def open(self, page: Path) -> None:
        """Load a file and wait until it stands."""
        self.call("Page.navigate", url=page.as_uri())
        self.wait(
            f"document.readyState === 'complete' && location.href === {json.dumps(page.as_uri())}"
        )

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        found = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait in the page until ``condition`` holds; a script that throws, or 20 s without it, is an error."""
        self.run(f"""new Promise((done, fail) => {{
          const end = Date.now() + 20_000;
          const look = () => {{
            try {{
              if ({condition}) done();
              else if (Date.now() > end) fail(new Error("in vain"));
              else setTimeout(look, 10);
            }} catch (error) {{ fail(error); }}
          }};
          look();
        }})""")

    def choose(self, field: str, *paths: Path) -> None:
        """Choose files, or one folder, in the field with this id."""
        found = self.call("Runtime.evaluate", expression=f"document.getElementById('{field}')")
        self.call(
            "DOM.setFileInputFiles",
            files=[str(path) for path in paths],
            objectId=found["result"]["objectId"],
        )
        self.wait(
            f"document.getElementById('{field}').files.length > 0"
        )  # a folder is read meanwhile

    def look(self, path: Path, *, width: int = 1200, dark: bool = False) -> None:
        """Write a picture of the whole page."""
        self.resize(width, dark=dark)
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def resize(self, width: int, *, dark: bool = False) -> None:
        """Show the page as on a screen of this width."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def complaints(self) -> Sequence[str]:
        """Errors of scripts, refusals by the page's policy, and requests to anywhere but files."""
        found = []
        for event in self.said:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"].get("exception", params)))
            elif event.get("method") == "Log.entryAdded":
                found.append(params["entry"]["text"])
            elif event.get("method") == "Network.requestWillBeSent":
                url = params["request"]["url"]
                found += [] if url.startswith("file:") else [url]
        return found
