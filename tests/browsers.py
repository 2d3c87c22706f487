"""Chromium and Firefox without a window, each by its own protocol over a websocket.

Chromium by the DevTools protocol, Firefox by WebDriver BiDi. Both have a proxy that answers nobody
instead of a network. Of tests, `make test-browser` runs those that use them.
"""

import base64
import importlib
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

DEAD_PROXY_PORT = 1
WAIT_S = 60
KEYS = {  # name: (code point of WebDriver, code of a Windows keyboard)
    "ArrowLeft": ("\ue012", 37),
    "ArrowUp": ("\ue013", 38),
    "ArrowRight": ("\ue014", 39),
    "ArrowDown": ("\ue015", 40),
    "Escape": ("\ue00c", 27),
    "Home": ("\ue011", 36),
}


class Browser:
    """What both have in common."""

    def __init__(self, command, announcement):
        self._process = subprocess.Popen(
            list(map(str, command)), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self._numbers = itertools.count(1)
        for line in self._process.stderr:
            found = re.search(announcement, line)
            if found:
                self._address = found[1]
                return
        raise RuntimeError(f"{command[0]} did not start")

    def _connect(self, address):
        websocket = importlib.import_module("websocket")
        self._socket = websocket.create_connection(address, WAIT_S, suppress_origin=True)

    def _call(self, method, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **self._more()}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer}")
                return answer["result"]

    def _more(self):
        return {}

    def wait_for(self, expression):
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + WAIT_S
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(expression)
            time.sleep(0.05)

    def close(self):
        """End the browser."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(WAIT_S)
        self._process.stderr.close()


class Chromium(Browser):
    """Debian's Chromium."""

    def __init__(self, profile: Path):
        program = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
        options = ["--headless=new", "--disable-gpu", f"--user-data-dir={profile}"]
        options += [f"--proxy-server=127.0.0.1:{DEAD_PROXY_PORT}", "--remote-debugging-port=0"]
        options += ["--no-sandbox"] if os.geteuid() == 0 else []
        options += ["--disable-dev-shm-usage", "--no-first-run", "about:blank"]
        super().__init__([program, *options], r"DevTools listening on (ws://\S+)")
        self._session = None
        self._connect(self._address)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        made = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = made["sessionId"]

    def _more(self):
        return {"sessionId": self._session} if self._session else {}

    def size(self, width, height):
        """Size of the window, in CSS pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, address):
        """Go to an address."""
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=address)

    def evaluate(self, expression):
        """Value of a JavaScript expression, as JSON holds it."""
        found = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"])
        return found["result"].get("value")

    def mouse(self, *steps):
        """Move, press and release: each step (kind, x, y)."""
        kinds = {"move": "mouseMoved", "press": "mousePressed", "release": "mouseReleased"}
        held = 0
        for kind, x, y in steps:
            held = {"press": 1, "release": 0}.get(kind, held)
            button = {"button": "left", "clickCount": 1} if kind != "move" or held else {}
            self._call(
                "Input.dispatchMouseEvent", type=kinds[kind], x=x, y=y, buttons=held, **button
            )

    def key(self, name):
        """Press and release a key."""
        code = KEYS[name][1] if name in KEYS else ord(name.upper())
        text = {} if name in KEYS else {"text": name}
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def choose_file(self, selector, path):
        """Give a file to an input."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        node = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self._call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def picture(self, path):
        """Save what the window shows."""
        made = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(made["data"]))


class Firefox(Browser):
    """Debian's Firefox."""

    def __init__(self, profile: Path):
        program = shutil.which("firefox-esr") or shutil.which("firefox") or "firefox-esr"
        network = {"type": 1, "http": "127.0.0.1", "ssl": "127.0.0.1"}
        network |= {"http_port": DEAD_PROXY_PORT, "ssl_port": DEAD_PROXY_PORT}
        lines = [f'user_pref("network.proxy.{k}", {json.dumps(v)});\n' for k, v in network.items()]
        profile.mkdir(exist_ok=True)
        (profile / "user.js").write_text("".join(lines), "utf-8")
        options = ["--headless", "--no-remote", "--profile", profile]
        options += ["--remote-debugging-port", "0"]
        super().__init__([program, *options], r"WebDriver BiDi listening on (ws://\S+)")
        self._connect(f"{self._address}/session")
        self._call("session.new", capabilities={})
        self._context = self._call("browsingContext.create", type="tab")["context"]

    def size(self, width, height):
        """Size of the window, in CSS pixels."""
        viewport = {"width": width, "height": height}
        self._call("browsingContext.setViewport", context=self._context, viewport=viewport)

    def open(self, address):
        """Go to an address."""
        for url in ("about:blank", address):
            self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression):
        """Value of a JavaScript expression, as JSON holds it."""
        found = self._call(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((v) => JSON.stringify(v ?? null))",
            target={"context": self._context},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"])
        return json.loads(found["result"]["value"])

    def mouse(self, *steps):
        """Move, press and release: each step (kind, x, y)."""
        actions = []
        for kind, x, y in steps:
            actions.append({"type": "pointerMove", "x": x, "y": y})
            if kind != "move":
                ends = {"press": "pointerDown", "release": "pointerUp"}
                actions.append({"type": ends[kind], "button": 0})
        self._act({"type": "pointer", "id": "mouse", "actions": actions})

    def key(self, name):
        """Press and release a key."""
        value = KEYS[name][0] if name in KEYS else name
        actions = [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": actions})

    def _act(self, source):
        self._call("input.performActions", context=self._context, actions=[source])

    def choose_file(self, selector, path):
        """Give a file to an input."""
        found = self._call(
            "browsingContext.locateNodes",
            context=self._context,
            locator={"type": "css", "value": selector},
        )
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._call("input.setFiles", context=self._context, element=element, files=[str(path)])

    def picture(self, path):
        """Save what the page shows."""
        made = self._call(
            "browsingContext.captureScreenshot", context=self._context, origin="document"
        )
        Path(path).write_bytes(base64.b64decode(made["data"]))
