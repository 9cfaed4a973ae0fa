#!/usr/bin/env python3
"""The page in Debian's Chromium, by WebDriver and Python's standard library alone: pictures and sounds get the answers of
`classify`, their bytes a heat strip, and what is obfuscated leaves the browser obfuscated (a proxy looks at what passes).
With axe-core, that has nothing serious to say about access. Usage: page_test.py PROGRAM SCREENSHOTS [AXE.MIN.JS]"""
import base64
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import serving
from serving import Server, classified, example, model

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Proxy:
    """Passes bytes on between the browser and the server, and keeps those of the browser."""

    def __init__(self, port):
        self.target, self.seen = port, bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()

    def copy(self, source, target, is_seen):
        try:
            while piece := source.recv(65536):
                if is_seen:
                    self.seen += piece
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Browser:
    def __init__(self, dark=False, width=1000):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},1400",
                     "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run"]
        if dark:
            arguments.append("--force-dark-mode")
        options = {"args": arguments, "binary": "/usr/bin/chromium"}
        for _ in range(100):
            try:
                answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                    "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}}, session=False)
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        self.session = answer["sessionId"]

    def call(self, method, path, body=None, session=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        prefix = f"/session/{self.session}" if session else ""
        connection.request(method, prefix + path, None if method == "GET" else json.dumps(body or {}))
        value = json.loads(connection.getresponse().read())["value"]
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def element(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def choose(self, selector, *paths):
        self.call("POST", f"/element/{self.element(selector)}/value", {"text": "\n".join(map(str, paths))})

    def keys(self, text):
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def wait(self, script, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := self.run("return " + script):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}; the page says: {self.run('return document.body.innerText')}")

    def picture(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()


NAMES = """(() => { const bad = [];
  for (const e of document.querySelectorAll('button, input, select, canvas, img, meter')) {
    if (e.hidden || e.closest('[hidden], template')) continue;
    if (!e.labels?.length && !e.textContent.trim() && !e.alt && !e.ariaLabel && !e.getAttribute('aria-label')) bad.push(e.outerHTML);
  }
  if (!document.documentElement.lang) bad.push('no lang');
  if (document.querySelectorAll('h1').length !== 1) bad.push('h1');
  return bad; })()"""

FIRST = "document.querySelector('#answers article')"


def answer_of(browser, count):
    browser.wait(f"document.querySelectorAll('#answers li').length === {5 * count}")
    return browser.run(f"return [...{FIRST}.querySelectorAll('li')].map(li => [...li.querySelectorAll('span')].map(s => s.textContent))")


def check_access(browser, axe, where):
    """What axe-core says, but for what is a matter of taste."""
    if axe is None:
        return
    browser.run(axe.read_text() + "; window.axe = axe;")
    found = browser.call("POST", "/execute/async", {"args": [], "script": """const done = arguments[0];
      axe.run().then(r => done(r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>
        v.id + ': ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; '))))"""})
    assert found == [], (where, found)


def main(shots, axe):
    with tempfile.TemporaryDirectory() as folder:
        key, keyed = os.path.join(folder, "k"), os.path.join(folder, "keyed")
        for arguments in (["keygen", "-o", key], ["rekey", model("file-types"), "--key", key, "-o", keyed]):
            subprocess.run([serving.PROGRAM, "obfuscate", *arguments], check=True, capture_output=True)
        with Server("-m", model("cifar10"), "-m", model("speech-commands"), "-m", model("file-types"), "-m", keyed,
                    "--no-log") as server:
            proxy = Proxy(server.port)
            browser = Browser()
            try:
                check(browser, proxy, key, shots, axe)
            finally:
                browser.close()
            for name, options in (("dark", {"dark": True}), ("phone", {"width": 390})):
                browser = Browser(**options)
                try:
                    open_page(browser, proxy)
                    browser.choose("#files", example("frog.jpg"))
                    answer_of(browser, 1)
                    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), "too wide"
                    check_access(browser, axe, name)
                    browser.picture(shots / f"{name}.png")
                finally:
                    browser.close()


def open_page(browser, proxy):
    browser.call("POST", "/url", {"url": f"http://127.0.0.1:{proxy.port}/"})
    browser.wait("document.querySelectorAll('#model option').length >= 1")
    assert browser.run("return document.getElementById('access').offsetHeight") == 0, "asks for a key that nobody needs"


def check(browser, proxy, key, shots, axe):
    open_page(browser, proxy)
    browser.picture(shots / "empty.png")
    check_access(browser, axe, "empty")
    browser.wait("document.querySelectorAll('#model option').length === 4")
    for count, (name, path) in enumerate((("cifar10", example("frog.jpg")),
                                          ("speech-commands", example("command_left.wav"))), 1):
        browser.run(f"model.value = '{name}'; model.dispatchEvent(new Event('change'))")
        browser.choose("#files", path)
        rows = answer_of(browser, count)
        expected = classified(model(name), path)[0]["predictions"]
        assert [row[0] for row in rows] == [prediction["label"] for prediction in expected], (rows, expected)
        assert rows[0][1] == f"{100 * expected[0]['score']:.1f} %", (rows, expected)
        browser.wait(f"!{FIRST}.querySelector('canvas.heat').hidden")
        label = browser.run(f"return {FIRST}.querySelector('canvas.heat').getAttribute('aria-label')")
        assert rows[0][0] in label, label
        painted = browser.run(f"const c = {FIRST}.querySelector('canvas.heat');"
                              "return c.getContext('2d').getImageData(0, 0, c.width, 1).data.some(v => v > 0)")
        assert painted, "no heat"
        # Over the picture: as many cells as the model's, on all of it. Behind the waveform: at its upper edge, too.
        over = browser.wait(f"[...{FIRST}.querySelectorAll('.medium canvas')].find(c => c.ariaLabel.includes('{rows[0][0]}'))"
                            "?.getContext('2d').getImageData(0, 0, 600, 1).data.filter((v, i) => i % 4 === 3 && v > 0).length")
        assert over >= (32 if name == "cifar10" else 500) / 2, over
    picture, heat = browser.run("return ['img', 'canvas'].map(e => document.querySelector('.heated ' + e).getBoundingClientRect().toJSON())")
    assert all(abs(picture[side] - heat[side]) < 1 for side in ("left", "top", "right", "bottom")), (picture, heat)
    browser.picture(shots / "answers.png")

    # A file that is dropped, in the plain and then obfuscated: the same answer, other bytes on the wire.
    text = "#!/bin/sh\n" + "echo a line that can be recognised on the wire\n" * 5
    drop = """const data = new DataTransfer(); data.items.add(new File([arguments[0]], 'script.sh'));
      document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}))"""
    browser.run("model.value = 'file-types'")
    proxy.seen.clear()
    browser.run(drop, text)
    plain = answer_of(browser, 3)
    assert text.encode() in proxy.seen
    browser.run("document.querySelector('#form details').open = true")
    browser.choose("#key", key)
    browser.wait("document.getElementById('keyword').textContent.includes('of the model keyed')")
    assert browser.run("return document.getElementById('obfuscate').checked && model.value === 'keyed'")
    proxy.seen.clear()
    browser.run(drop, text)
    secret = answer_of(browser, 4)
    assert secret == plain, (secret, plain)
    assert text.encode().translate(pathlib.Path(key).read_bytes()) in proxy.seen
    assert b"recognised" not in proxy.seen and b"script.sh" not in proxy.seen
    browser.picture(shots / "obfuscated.png")
    check_access(browser, axe, "obfuscated")

    # By keyboard: everything that can be used can be reached.
    browser.run("document.body.focus()")
    reached = set()
    for _ in range(14):
        browser.keys("\ue004")
        reached.add(browser.run("return document.activeElement.id || document.activeElement.tagName"))
    assert {"model", "files", "explain", "obfuscate", "key"} <= reached, reached
    assert browser.run("return " + NAMES) == [], browser.run("return " + NAMES)
    complaints = [entry["message"] for entry in browser.call("POST", "/se/log", {"type": "browser"})
                  if entry["level"] == "SEVERE"]
    assert complaints == [], complaints


if __name__ == "__main__":
    serving.PROGRAM = os.path.abspath(sys.argv[1])
    shots = pathlib.Path(sys.argv[2])
    shots.mkdir(parents=True, exist_ok=True)
    axe = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    main(shots, axe)
    print(f"page: passed{'' if axe else ', without axe-core'}; screenshots in {shots}")
