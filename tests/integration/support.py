"""What the integration tests share: the built program in a folder of its own, with a simulated cloud that hurries.

HEADGATE is the program, HEADGATE_SOURCE the repository.
"""
import json
import os
import pathlib
import pty
import select
import shutil
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("HEADGATE", "headgate")
SOURCE = pathlib.Path(os.environ.get("HEADGATE_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
MANIFESTS = SOURCE / "manifests"
PATIENCE_S = 60

STACK = """\
apiVersion: headgate/v1
kind: Stack
metadata:
  name: demo
spec:
  region: cn-shanghai
"""

VPC = """\
---
apiVersion: headgate/v1
kind: Vpc
metadata:
  name: main
spec:
  cidrBlock: 10.0.0.0/8
"""

VSWITCH = """\
---
apiVersion: headgate/v1
kind: VSwitch
metadata:
  name: web
spec:
  vpc: main
  zone: cn-shanghai-b
  cidrBlock: 10.0.1.0/24
"""


class Case(unittest.TestCase):
    """Each test has a folder of its own, and in it state and cloud."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="headgate-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("HEADGATE")}
        self.env.update(TERM="xterm", LC_ALL="C.UTF-8")
        self.env.pop("NO_COLOR", None)

    # ---- running ----

    def start(self, *args, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([PROGRAM, *map(str, args)], cwd=self.folder, env=self.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **more)

    def run_program(self, *args, input=None):
        return subprocess.run([PROGRAM, *map(str, args)], cwd=self.folder, env=self.env, input=input,
                              stdin=subprocess.DEVNULL if input is None else None, capture_output=True,
                              timeout=PATIENCE_S)

    def headgate(self, *args, code=0, input=None):
        """Runs it, expects this exit code, returns standard output."""
        done = self.run_program(*args, input=input)
        self.err = done.stderr.decode()
        out = done.stdout.decode()
        self.assertEqual(done.returncode, code, f"headgate {args}\n--- out\n{out}\n--- err\n{self.err}")
        return out

    def json_of(self, *args, **more):
        return json.loads(self.headgate(*args, **more))

    def on_terminal(self, *args, answer=None, when="Enter a value"):
        """Runs it on a terminal; types 'answer' when 'when' is seen. Returns exit code and all that was seen."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(PROGRAM, [PROGRAM, *map(str, args)], self.env)
        seen, until = b"", time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                part = os.read(terminal, 65536)
            except OSError:
                break
            if not part:
                break
            seen += part
            if answer is not None and when.encode() in seen:
                os.write(terminal, answer if isinstance(answer, bytes) else answer.encode())
                answer = None
        status = os.waitpid(pid, 0)[1]
        os.close(terminal)
        return os.waitstatus_to_exitcode(status), seen.decode()

    # ---- the simulated cloud ----

    def hurry(self):
        self.headgate("mock", "latency", "--speed", 1000000, "--latency", 0)

    def call(self, product, operation, **parameters):
        return self.json_of("mock", "call", product, operation, *(f"{k}={v}" for k, v in parameters.items()))

    def changing_calls(self):
        """The operations that changed something, in order, with their status."""
        lines = self.headgate("mock", "ledger", "--changes").splitlines()
        return [tuple(line.split()[1:3]) for line in lines]

    def objects(self, kind):
        return self.json_of("mock", "list", kind, "--json")

    # ---- manifests ----

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def demo(self, *parts, name="net.yaml"):
        """A small stack: a VPC, and what is given."""
        return self.write(name, STACK + VPC + "".join(parts))

    def state_ids(self, *flags):
        """Address to id of all that is recorded."""
        items = self.json_of("get", "all", "-o", "json", *flags)["items"]
        return {f"{i['kind']}/{i['metadata']['name']}": i["status"]["id"] for i in items}


def main():
    unittest.main(verbosity=1)
