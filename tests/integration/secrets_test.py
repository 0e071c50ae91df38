"""What is secret stays in memory: not in output, files, arguments or core dumps; and what headgate writes is for its
user alone, whatever the umask says."""
import base64
import os
import pathlib
import resource
import signal
import subprocess
import unittest
import urllib.parse

import support

HAIRPIN = support.MANIFESTS / "nat-hairpin"
ID, SECRET, TOKEN = "LTAIplantedKeyId0000", "planted/Secret+0123456789abcdef==", "CAISplanted+Session/Token=="
KEYS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": ID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
    "ALIBABA_CLOUD_SECURITY_TOKEN": TOKEN, "ALICLOUD_ACCESS_KEY": ID, "ALICLOUD_SECRET_KEY": SECRET,
    "ALICLOUD_SECURITY_TOKEN": TOKEN,
}


def spellings(secret):
    plain = secret.encode()
    return {plain, base64.b64encode(plain).rstrip(b"="), plain.hex().encode(), plain.hex().upper().encode(),
            urllib.parse.quote(secret, safe="").encode(), urllib.parse.quote_plus(secret).encode()}


FORBIDDEN = spellings(SECRET) | spellings(TOKEN)


class Secrets(support.Case):
    def setUp(self):
        super().setUp()
        self.env.update(KEYS)
        self.said = b""

    def run_program(self, *args, **more):
        done = super().run_program(*args, **more)
        self.said += done.stdout + done.stderr
        return done

    def assert_clean(self, what, content):
        for secret in FORBIDDEN:
            self.assertNotIn(secret, content, what)

    def assert_all_clean(self):
        self.assert_clean("output", self.said)
        for path in self.folder.rglob("*"):
            if path.is_file():
                self.assert_clean(path.name, path.read_bytes())

    def test_nothing_that_a_run_leaves_has_a_secret(self):
        self.hurry()
        self.headgate("validate", "-f", HAIRPIN, "--json")
        self.headgate("plan", "-f", HAIRPIN, "--out", "saved.plan")
        self.headgate("apply", "saved.plan", "--trace", "trace.txt", "--json")
        route, nat2 = (self.headgate("get", a).splitlines()[1].split()[1] for a in ("RouteEntry/vtb1.default",
                                                                                   "NatGateway/nat2"))
        self.headgate("mock", "set", route, f"NextHopId={nat2}")
        for args in (["plan", "-f", HAIRPIN, "--json"], ["drift", "-f", HAIRPIN, "--unmanaged"],
                     ["get", "all", "-o", "json"], ["describe", "NatGateway/nat1"], ["history"], ["events"],
                     ["status"], ["state", "list"], ["state", "backup", "backup.db"], ["mock", "ledger"]):
            self.headgate(*args)
        self.headgate("diff", "-f", HAIRPIN, code=1)
        self.headgate("mock", "fail-next", "DeleteRouteEntry", "Forbidden.RAM")
        self.run_program("destroy", "-f", HAIRPIN, "--auto-approve")
        self.headgate("apply", "-f", self.folder / "missing.yaml", code=1)
        self.assert_all_clean()

    def test_nor_has_what_a_killed_run_leaves(self):
        self.headgate("mock", "latency", "--speed", 1000000, "--latency", 20)
        running = self.start("apply", "-f", HAIRPIN, "--auto-approve", "--trace", "trace.txt")
        self.said += running.stdout.readline()  # it has begun
        self.assert_clean("arguments", pathlib.Path(f"/proc/{running.pid}/cmdline").read_bytes())
        running.kill()
        self.said += b"".join(running.communicate())
        self.assertEqual(running.returncode, -signal.SIGKILL)
        self.assert_all_clean()

    def test_files_are_for_their_user_alone(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.hurry()
        self.headgate("plan", "-f", HAIRPIN, "--out", "saved.plan")
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve", "--trace", "trace.txt")
        self.headgate("state", "backup", "backup.db")
        modes = {p.name: oct(p.stat().st_mode & 0o777) for p in self.folder.rglob("*") if p.is_file()}
        self.assertEqual({m for m in modes.values()}, {"0o600"}, modes)
        self.assertIn("state.db", modes)
        self.assertIn("mock.db", modes)
        self.assertEqual(oct((self.folder / ".headgate").stat().st_mode & 0o777), "0o700")

    def crash(self, **env):
        """Ends a run by SIGABRT where it waits for an answer; the folder's core dumps."""
        self.env.update(env)
        limit = lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        running = self.start("apply", "-f", HAIRPIN, "--auto-approve", preexec_fn=limit)
        running.stdout.readline()
        running.send_signal(signal.SIGABRT)
        running.communicate()
        self.assertEqual(running.returncode, -signal.SIGABRT)
        return [p for p in self.folder.iterdir() if p.name.startswith("core")]

    def test_a_crash_leaves_no_core_dump(self):
        pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
        if not pattern.startswith("core"):
            self.skipTest(f"core dumps of this machine go elsewhere: {pattern}")
        if os.environ.get("HEADGATE_SANITIZED") == "ON":
            self.skipTest("sanitizers keep their programs' memory readable")
        self.headgate("mock", "latency", "--speed", 1000000, "--latency", 20)
        self.assertEqual(self.crash(), [])
        self.assertNotEqual(self.crash(HEADGATE_COREDUMP="1"), [], "the way to have one, and that this test can fail")


if __name__ == "__main__":
    unittest.main()
