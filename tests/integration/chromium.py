# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A headless Chromium, driven by its own driver over W3C WebDriver. On its own it asks nobody anything."""

from __future__ import annotations

import base64
import http.client
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,1400",
)
START_SECONDS = 60
READY = "return document.documentElement.dataset.ready === 'yes'"


class Chromium:
    """One browser with one page; *switches* are added to the usual ones. What it started ends with the block."""

    def __init__(self, *switches: str) -> None:
        self._switches = (*SWITCHES, *switches)
        self._folder = tempfile.TemporaryDirectory(prefix="egress-browser-", ignore_cleanup_errors=True)
        self._driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._session = ""
        try:
            self._port = self._listening()
            self._session = self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._session:
            self._ask("DELETE", "")
            self._session = ""
        self._driver.terminate()
        self._driver.communicate()
        self._folder.cleanup()

    def open(self, path: Path) -> None:
        """Open a page and wait until its script has done its work."""
        self.visit(path.resolve().as_uri())
        self.wait(READY)

    def visit(self, url: str) -> None:
        """Open a page that says by itself when it is done."""
        self._ask("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns on the page."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, script: str) -> None:
        """Until a script on the page says true."""
        end = time.monotonic() + START_SECONDS
        while not self.run(script):
            if time.monotonic() > end:
                raise TimeoutError(f"the page never came to: {script}; it said {self.log('browser')}")
            time.sleep(0.02)  # the page works on its own; there is nothing to be woken by

    def filter(self, field: str, text: str) -> float:
        """Set a filter alone and return the seconds until the page shows it."""
        script = """
          for (const one of document.querySelectorAll('#filters input, #filters select')) one.value = '';
          const field = document.getElementById(arguments[0]), start = performance.now();
          field.value = arguments[1];
          field.dispatchEvent(new Event('input', {bubbles: true}));
          document.body.getBoundingClientRect();
          return (performance.now() - start) / 1000;
        """
        return float(self.run(script, field, text))

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What the browser logged since last time: C(browser) is its console, C(performance) what it loaded."""
        found: list[dict[str, Any]] = self._ask("POST", "/se/log", {"type": kind})
        return found

    def requests(self, path: Path) -> list[str]:
        """The URLs that a page asked for since the last call, itself included; not those of the browser's own pages."""
        told = [json.loads(one["message"])["message"] for one in self.log("performance")]
        sent = [one["params"] for one in told if one["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent if one["documentURL"] == path.resolve().as_uri()]

    def media(self, **features: str) -> None:
        """Emulate media features, or with C(type) a medium, such as print."""
        kind = features.pop("type", "")
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self._devtools("Emulation.setEmulatedMedia", {"media": kind, "features": listed})

    def width(self, pixels: int) -> None:
        """Give the page another width; zero takes that back."""
        size = {"width": pixels, "height": 0, "deviceScaleFactor": 0, "mobile": False}
        self._devtools("Emulation.setDeviceMetricsOverride", size)

    def picture(self, path: Path) -> None:
        """All of the page, as it is now."""
        size = self._devtools("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000), "scale": 1}
        shot = self._devtools("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def pictures(self, folder: Path) -> None:
        """Light, dark and on paper."""
        for name, features in (("light", {}), ("dark", {"prefers_color_scheme": "dark"}), ("print", {"type": "print"})):
            self.media(**features)
            self.picture(folder / f"report-{name}.png")
        self.media()

    def _devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        return self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _listening(self) -> int:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                return int(found[1])
        raise RuntimeError("chromedriver ended before it listened")

    def _begin(self) -> str:
        options = {"args": [*self._switches, f"--user-data-dir={self._folder.name}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        answer = self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        return str(answer["sessionId"])

    def _ask(self, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=START_SECONDS)
        where = f"/session/{self._session}{path}" if self._session else "/session"
        connection.request(verb, where, json.dumps(body or {}), {"Content-Type": "application/json"})
        value = json.loads(connection.getresponse().read())["value"]
        connection.close()
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(f"{value['error']}: {value['message']}")
        return value
