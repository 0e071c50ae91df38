"""The exit codes are a contract: docs/exit-codes.md."""
import signal
import time

import support
from support import STACK, VPC, VSWITCH


class ExitCode(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH)

    def test_0_and_2_tell_differences_when_asked(self):
        self.headgate("plan", "-f", "net.yaml", code=0)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=2)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=0)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)

    def test_diff_keeps_those_of_kubectl(self):
        self.headgate("diff", "-f", "net.yaml", code=1)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertEqual(self.headgate("diff", "-f", "net.yaml", code=0), "")
        self.headgate("diff", "-f", "nothing.yaml", code=2)
        self.headgate("diff", "--bogus", code=1)

    def test_1_is_an_error(self):
        self.headgate("plan", "-f", "nothing.yaml", code=1)
        self.headgate("plan", code=1)
        self.headgate(code=1)
        self.headgate("bogus", code=1)
        self.headgate("plan", "--bogus", code=1)
        self.headgate("get", "nothing", code=1)

    def test_1_when_the_cloud_refuses(self):
        self.headgate("mock", "fail-next", "CreateVpc", "InvalidCidrBlock.Malformed", "--count", 5)
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=1)
        self.assertIn("Vpc/main: Creation failed", out)
        self.assertRegex(out, r"request id [0-9A-F-]{8,}")
        self.assertIn("VSwitch/web: Not tried", out)
        self.assertIn("Apply failed. Resources: 0 added, 0 changed, 0 destroyed, 1 failed, 1 not tried.", out)

    def test_3_is_about_credentials(self):
        self.headgate("mock", "fail-next", "CreateVpc", "Forbidden.RAM", "--count", 5)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=3)

    def test_4_is_a_guard(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.write("net.yaml", STACK + "  maxDeletions: 0\n" + VPC)
        calls = self.changing_calls()
        self.headgate("plan", "-f", "net.yaml", code=4)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=4)
        self.assertEqual(self.changing_calls(), calls)
        self.headgate("plan", "-f", "net.yaml", "--prune=false", code=0)

    def test_4_is_a_suspended_stack(self):
        self.write("net.yaml", STACK + "  suspend: true\n" + VPC)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=4)

    def test_the_stack_decides_about_pruning_unless_a_flag_does(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.write("net.yaml", STACK + "  prune: false\n" + VPC)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)
        self.assertIn("1 to destroy", self.headgate("plan", "-f", "net.yaml", "--prune"))
        self.headgate("plan", "-f", "-", "--detailed-exitcode", code=0,
                      input=(self.folder / "net.yaml").read_bytes())

    def test_7_is_no_as_an_answer(self):
        for answer in ("no\n", "\n", "y\n", "YES\n", b"\x04", b"\x03"):
            with self.subTest(answer):
                code, seen = self.on_terminal("apply", "-f", "net.yaml", answer=answer)
                self.assertEqual(code, 7, seen)
                self.assertIn("Apply cancelled.", seen)
        self.assertEqual(self.changing_calls(), [])

    def test_7_is_an_interrupt_while_looking(self):
        self.headgate("mock", "latency", "--latency", 2000)
        for command in (["plan"], ["apply", "--auto-approve"]):
            running = self.start(*command, "-f", "net.yaml")
            self.assertIn(b"Refreshing state...", running.stdout.readline())
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=support.PATIENCE_S)
            self.assertEqual(running.returncode, 7)
        self.hurry()
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")

    def test_yes_is_yes(self):
        code, seen = self.on_terminal("apply", "-f", "net.yaml", answer="yes\n")
        self.assertEqual(code, 0, seen)
        self.assertIn("Only 'yes' will be accepted to approve.", seen)
        code, seen = self.on_terminal("destroy", "-f", "net.yaml", answer="yes\n")
        self.assertEqual(code, 0, seen)
        self.assertIn("There is no undo.", seen)

    def test_nobody_to_ask_is_an_error(self):
        self.headgate("apply", "-f", "net.yaml", code=1)
        self.assertIn("--auto-approve", self.err)
        self.headgate("destroy", "-f", "net.yaml", "--json", code=0)  # nothing is there: nothing to ask
        self.headgate("apply", "-f", "net.yaml", "--json", code=1)
        self.assertEqual(self.changing_calls(), [])


class Held(support.Case):
    """While an apply is under way. The simulated cloud is slow enough to be caught at it."""

    def setUp(self):
        super().setUp()
        self.headgate("mock", "latency", "--speed", 4, "--latency", 200)
        self.demo(VSWITCH)
        self.apply = self.start("apply", "-f", "net.yaml", "--auto-approve")
        self.addCleanup(self.end)
        for line in self.apply.stdout:
            if b"Creating..." in line:
                break

    def end(self):
        if self.apply.poll() is None:
            self.apply.kill()
        self.apply.communicate()

    def test_5_is_a_held_lock(self):
        started = time.monotonic()
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=5)
        self.assertIn("apply by", self.err)
        self.assertIn(str(self.apply.pid), self.err)
        self.assertIn("unlock", self.err)
        self.assertLess(time.monotonic() - started, 5)
        self.headgate("state", "rm", "Vpc/main", code=5)
        self.assertIn("apply by", self.headgate("status"))
        self.headgate("plan", "-f", "net.yaml")  # looking needs no lock

    def test_waiting_for_a_lock_is_said(self):
        waiting = self.start("apply", "-f", "net.yaml", "--auto-approve", "--lock-timeout", "50s")
        self.apply.communicate(timeout=support.PATIENCE_S)
        out, err = waiting.communicate(timeout=support.PATIENCE_S)
        self.assertEqual(waiting.returncode, 0, err)
        self.assertIn(b"Acquiring state lock.", err)

    def test_an_interrupt_finishes_what_is_in_flight(self):
        self.apply.send_signal(signal.SIGINT)
        out, err = self.apply.communicate(timeout=support.PATIENCE_S)
        self.assertEqual(self.apply.returncode, 7, out + err)
        self.assertIn(b"interrupted", out)
        self.hurry()
        self.assertEqual(self.headgate("status").count("free"), 1)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertEqual(len(self.objects("vpc")), 1)
        self.assertEqual(len(self.objects("vswitch")), 1)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)

    def test_two_interrupts_stop_at_once(self):
        self.apply.send_signal(signal.SIGINT)
        time.sleep(0.05)
        self.apply.send_signal(signal.SIGINT)
        out, err = self.apply.communicate(timeout=support.PATIENCE_S)
        self.assertEqual(self.apply.returncode, 7)
        self.assertIn(b"Apply interrupted. Resources: 0 added, ", out)
        self.assertIn(b" 1 left under way, 1 not tried.", out)
        self.assertIn(b"the next apply looks before it calls", out)
        self.assertIn(b"Error: interrupted: 1 left under way, 1 not tried", err)
        self.hurry()
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertEqual(len(self.objects("vpc")), 1)

    def test_a_killed_apply_leaves_neither_lock_nor_duplicate(self):
        self.apply.send_signal(signal.SIGKILL)
        self.apply.communicate()
        self.hurry()
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertIn("lock of a process that has died", out)
        self.assertEqual(len(self.objects("vpc")), 1)
        self.assertEqual(len(self.objects("vswitch")), 1)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)
        self.assertIn("lock-taken-over", self.headgate("events"))

    def test_unlock_breaks_the_lock_that_it_was_shown(self):
        lock = self.json_of("status", "-o", "json")["stacks"][0]["lock"]
        self.headgate("unlock", code=1)
        self.assertIn("--auto-approve", self.err)
        self.headgate("unlock", "another-id", "--auto-approve", code=1)
        code, seen = self.on_terminal("unlock", lock["id"], answer="no\n")
        self.assertEqual(code, 7, seen)
        self.headgate("unlock", lock["id"], "--auto-approve")
        self.assertIn("lock-broken", self.headgate("events"))
        self.apply.communicate(timeout=support.PATIENCE_S)
        self.headgate("unlock", "--auto-approve", code=1)
        self.assertIn("not locked", self.err)


if __name__ == "__main__":
    support.main()
