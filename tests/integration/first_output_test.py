"""Something is said before anything slow is done.

The clock is left out of it: the cloud is one that does not answer as long as a test can last, so a line that is seen
was written without it."""
import os
import pty
import select
import subprocess

import support
from support import VSWITCH

REFRESHING = b"demo: Refreshing state... [mock, cn-shanghai]"
TAKEN_OVER = b"The lock of a process that has died was taken over."  # that of the run before, which was killed


class FirstOutput(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.vpc = self.state_ids()["Vpc/main"]
        self.headgate("plan", "-f", "net.yaml", "--out", "plan.json")
        self.headgate("mock", "latency", "--latency", 3600000)

    def first_line(self, *args, terminal_for=None):
        """Of standard output; with 'terminal_for' "stderr" of that, which is then a terminal."""
        more, reader = {}, None
        if terminal_for == "stderr":
            reader, other = pty.openpty()
            self.addCleanup(os.close, reader)
            more = {"stdout": subprocess.DEVNULL, "stderr": other}
        else:
            reader, other = os.pipe()
            self.addCleanup(os.close, reader)
            more = {"stdout": other, "stderr": subprocess.DEVNULL}
        running = subprocess.Popen([support.PROGRAM, *map(str, args)], cwd=self.folder, env=self.env,
                                   stdin=subprocess.DEVNULL, **more)
        os.close(other)
        try:
            seen = b""
            while b"\n" not in seen:
                self.assertTrue(select.select([reader], [], [], support.PATIENCE_S)[0], f"{args}: nothing was said")
                part = os.read(reader, 4096)
                self.assertTrue(part, f"{args}: it ended, having said {seen!r}")
                seen += part
            self.assertIsNone(running.poll(), "it waits for the cloud")
        finally:
            running.kill()
            running.wait()
        return seen.splitlines()[0]

    def test_of_large_manifests(self):
        text = (self.folder / "net.yaml").read_text() + "# a long line\n" * 100000
        self.write("large.yaml", text)
        size = f"{len(text) / 2**20:.1f}"
        for args in (["validate"], ["plan", "--refresh=false"], ["graph"]):
            with self.subTest(args):
                self.headgate(*args, "-f", "large.yaml")
                self.assertTrue(self.err.startswith(f"Reading {size} MiB of manifests...\n"), self.err)
        self.headgate("validate", "-f", "net.yaml")
        self.assertEqual(self.err, "")

    def test_of_what_asks_the_cloud(self):
        manifests = ["-f", "net.yaml"]
        for args in (["plan", *manifests], ["plan", "--destroy", *manifests], ["drift", *manifests],
                     ["apply", "--auto-approve", *manifests], ["apply", "plan.json"],
                     ["destroy", "--auto-approve", *manifests], ["state", "rebuild", *manifests],
                     ["import", "Vpc/other", self.vpc, *manifests]):
            with self.subTest(args):
                self.assertIn(self.first_line(*args), (REFRESHING, TAKEN_OVER))

    def test_of_a_stream_of_events(self):
        for command in ("apply", "destroy"):
            self.assertIn(b'"type":"version"', self.first_line(command, "-f", "net.yaml", "--auto-approve", "--json"))

    def test_of_documents_for_machines_is_aside(self):
        for args in (["plan", "--json"], ["drift", "--json"], ["diff"], ["graph", "--plan"]):
            with self.subTest(args):
                self.assertEqual(self.first_line(*args, "-f", "net.yaml", terminal_for="stderr"), REFRESHING)

    def test_of_what_is_recorded_needs_no_cloud(self):
        self.env["HEADGATE_MOCK"] = str(self.folder / "none" / "mock.db")
        for args in (["validate", "-f", "net.yaml"], ["get", "all"], ["describe", "Vpc/main"], ["status"], ["events"],
                     ["history"], ["state", "list"], ["state", "show", "Vpc/main"], ["state", "verify"],
                     ["graph", "-f", "net.yaml"], ["schema"], ["explain"], ["help"], ["version"]):
            self.headgate(*args)
        self.assertFalse((self.folder / "none").exists())


if __name__ == "__main__":
    support.main()
