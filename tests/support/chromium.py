"""A real browser for tests and measurements: headless Chromium over its debugging pipe, with nothing but the standard
library. It opens files alone; the network is not needed and not asked."""
import atexit
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

# Nothing of the machine or of its user, no network, and no need for more shared memory than a container has.
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-breakpad", "--no-first-run"]
LONGEST_SILENCE = 60  # seconds


def find():
    """The Chromium of this machine, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One Chromium, which all pages of a test program share: to start it costs more than any page. It ends with the
    program, or when it is told to."""

    shared = None

    @classmethod
    def get(cls):
        if cls.shared is None:
            cls.shared = cls()
            atexit.register(cls.shared.end)
        return cls.shared

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="chromium-")
        to_child, self.to = os.pipe()
        self.back, from_child = os.pipe()

        def ends():
            # The pipes are 3 and 4 in the browser; copies first, for either may be where the other has to go.
            read, write = os.dup(to_child), os.dup(from_child)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [find(), *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self.home}"],
            env={"PATH": os.environ["PATH"], "HOME": self.home, "XDG_RUNTIME_DIR": self.home}, preexec_fn=ends,
            close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.number, self.rest = 0, b""

    def end(self):
        if Browser.shared is self:
            Browser.shared = None
        atexit.unregister(self.end)
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                if not select.select([self.back], [], [], LONGEST_SILENCE)[0]:
                    raise TimeoutError(f"the browser says nothing to {method}")
                got = os.read(self.back, 1 << 20)
                if not got:
                    raise RuntimeError("the browser is gone")
                self.rest += got
            line, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]


class Page:
    """One page, with a profile of its own in the shared browser; use it as a context."""

    def __init__(self, path, dark=False):
        self.browser = Browser.get()
        self.session = None
        self.profile = self.ask("Target.createBrowserContext")["browserContextId"]
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=self.profile)["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        if dark:
            self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.ask("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        self.until("document.readyState === 'complete' && location.protocol === 'file:'")

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        # A page that hangs must not take the next one with it.
        if failed:
            return self.browser.end()
        self.session = None
        self.ask("Target.disposeBrowserContext", browserContextId=self.profile)

    def ask(self, method, **parameters):
        return self.browser.ask(method, self.session, **parameters)

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        return answer["result"].get("value")

    def until(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(condition)
            time.sleep(0.02)

    def choose(self, element, path):
        """Puts a file, or for an input of a folder a folder, where a person would choose it."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=f"#{element}")["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(pathlib.Path(path).resolve())])

    def verify(self, fingerprints, threshold):
        """Types fingerprints into the page's own verifier, presses its button; the verdict and the milliseconds."""
        typed = json.dumps([fingerprints, threshold])
        self.run(f"""(() => {{
          const [fingerprints, threshold] = {typed};
          document.getElementById("outcome").replaceChildren();
          const boxes = [...document.querySelectorAll("#pins input")];
          boxes.forEach((box, i) => {{ box.value = fingerprints[i] ?? ""; }});
          document.getElementById("threshold").value = threshold;
          document.querySelector("#check button").click();
        }})()""")
        self.until("document.getElementById('outcome').textContent !== ''")
        text = self.run("document.getElementById('outcome').innerText")
        took = [int(word) for word, unit in zip(text.split(), text.split()[1:]) if unit.startswith("ms") and word.isdigit()]
        return text, took[0] if took else None
