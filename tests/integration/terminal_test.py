"""What people see: help, suggestions, colours, the live view, and soon."""
import os
import subprocess
import time

import support
from support import STACK, VPC, VSWITCH


class Help(support.Case):
    def test_names_every_command(self):
        out = self.headgate("help")
        for name in ("validate", "plan", "apply", "destroy", "state rebuild", "mock call", "unlock"):
            self.assertIn(f"  {name} ", out)
        self.assertEqual(out, self.headgate("--help"))
        self.assertEqual(out, self.headgate("-h"))

    def test_of_a_command_names_its_flags(self):
        out = self.headgate("help", "plan")
        self.assertIn("--detailed-exitcode", out)
        self.assertNotIn("--auto-approve", out)
        self.assertEqual(out, self.headgate("plan", "--help"))
        self.assertIn("Usage: headgate state mv FROM TO", self.headgate("state", "mv", "-h"))
        self.assertIn("state backup", self.headgate("help", "state"))
        self.assertEqual(self.headgate("help", "state"), self.headgate("state", "--help"))
        self.headgate("stat", "--help", code=1)

    def test_lines_fit(self):
        for line in self.headgate("help").splitlines():
            self.assertLessEqual(len(line), 100)

    def test_suggests_what_was_meant(self):
        for args, meant in ((["aply"], "`apply`"), (["state", "shwo"], "`state show`"), (["plan", "--targt=x"], "--target"),
                            (["help", "pla"], "`plan`"), (["mock", "ledgr"], "`mock ledger`")):
            self.headgate(*args, code=1)
            self.assertIn(f"did you mean {meant}?", self.err)

    def test_a_flag_of_another_command_is_refused(self):
        self.headgate("validate", "--auto-approve", code=1)
        self.assertIn("has no flag --auto-approve", self.err)
        self.headgate("plan", "--version", code=1)
        self.assertIn("has no flag --version", self.err)

    def test_an_unknown_flag_is_shown_as_it_was_typed(self):
        for flag in ("-x", "--xyz", "-xyz"):
            self.headgate("plan", flag + "=1", code=1)
            self.assertIn(f"has no flag {flag}\n", self.err)
        self.headgate("-x", code=1)
        self.assertIn("unknown flag -x\n", self.err)

    def test_a_format_may_follow_its_letter(self):
        for args in (["-ojson"], ["-o", "json"], ["-o=json"], ["--output=json"]):
            self.assertEqual(self.headgate("version", *args), self.headgate("version", "-o", "json"))
        self.headgate("version", "-otext", code=1)

    def test_flags_take_one_dash_or_two_and_stand_anywhere(self):
        self.demo()
        for args in (["-no-color", "validate", "-f", "net.yaml"], ["validate", "net.yaml"],
                     ["validate", "--file=net.yaml"], ["validate", "--", "net.yaml"]):
            self.assertIn("Success!", self.headgate(*args))

    def test_version(self):
        self.assertRegex(self.headgate("version"), r"^headgate \d+\.\d+\.\d+\n$")
        for flag in ("--version", "-version", "-v"):
            self.assertEqual(self.headgate(flag), self.headgate("version"))


class Terminal(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH)

    def test_colours_are_for_terminals(self):
        self.assertNotIn("\x1b", self.headgate("plan", "-f", "net.yaml"))
        self.assertIn("\x1b[", self.on_terminal("plan", "-f", "net.yaml")[1])
        self.assertNotIn("\x1b", self.on_terminal("plan", "-f", "net.yaml", "--no-color")[1])
        self.env["NO_COLOR"] = "1"
        self.assertNotIn("\x1b", self.on_terminal("plan", "-f", "net.yaml")[1])
        self.env["NO_COLOR"] = ""
        self.assertIn("\x1b[", self.on_terminal("plan", "-f", "net.yaml")[1])
        self.env["TERM"] = "dumb"
        self.assertNotIn("\x1b", self.on_terminal("plan", "-f", "net.yaml")[1])

    def test_a_live_view_tells_what_waits_for_what(self):
        self.headgate("mock", "latency", "--speed", 10, "--latency", 100)
        code, seen = self.on_terminal("apply", "-f", "net.yaml", "--auto-approve")
        self.assertEqual(code, 0, seen)
        self.assertIn("waiting    VSwitch/web  for Vpc/main", seen)
        self.assertIn("0 of 2 done, 1 running, 1 waiting", seen)
        self.assertRegex(seen, r"\x1b\[\d+A\x1b\[J")
        self.assertTrue(seen.rstrip().endswith("2 added, 0 changed, 0 destroyed."))

    def test_plain_lines_elsewhere(self):
        self.headgate("mock", "latency", "--speed", 10, "--latency", 100)
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertNotIn("\x1b", out)
        self.assertNotIn("waiting", out)
        self.assertNotIn("\r", out)
        self.assertEqual(self.err, "")

    def test_waiting_is_said_with_the_status(self):
        self.headgate("mock", "latency", "--speed", 0.4, "--latency", 0)
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve", "--target", "Vpc/main")
        self.assertRegex(out, r"Vpc/main: Still creating\.\.\. \[.*1\ds elapsed, status Pending\]")

    def test_the_first_word_comes_at_once(self):
        # The program is run with sanitizers in tests: the bound is that of the contract times ten.
        self.headgate("mock", "latency", "--speed", 1, "--latency", 2000)
        started = time.monotonic()
        running = self.start("plan", "-f", "net.yaml")
        self.addCleanup(running.communicate)
        self.addCleanup(running.kill)
        self.assertIn(b"Refreshing state...", running.stdout.readline())
        self.assertLess(time.monotonic() - started, 0.5)

    def test_nobody_reads_to_the_end(self):
        running = self.start("apply", "-f", "net.yaml", "--auto-approve")
        running.stdout.close()
        running.stderr.read()
        running.stderr.close()
        self.assertEqual(running.wait(support.PATIENCE_S), 0)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)

    def test_a_full_disk_is_told(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([support.PROGRAM, "help"], stdout=full, stderr=subprocess.PIPE, env=self.env)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_a_trace_is_left_when_asked_for(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", "--trace", "trace.txt")
        self.assertIn("Vpc/main: create", (self.folder / "trace.txt").read_text())

    def test_concise_is_one_line_per_change(self):
        out = self.headgate("plan", "-f", "net.yaml", "--concise")
        self.assertNotIn("cidrBlock", out)
        self.assertIn("Vpc/main", out)

    def test_paths_come_from_the_environment(self):
        self.env.update(HEADGATE_STATE="elsewhere/state.db", HEADGATE_MOCK="elsewhere/cloud.db")
        self.hurry()
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertTrue((self.folder / "elsewhere" / "state.db").exists())
        self.assertTrue((self.folder / "elsewhere" / "cloud.db").exists())
        self.assertFalse((self.folder / ".headgate" / "state.db").exists())


class Scope(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH, VSWITCH.replace("web", "more").replace("10.0.1", "10.0.2"))

    def test_target_and_exclude_say_what_was_left_out(self):
        out = self.headgate("plan", "-f", "net.yaml", "--target", "VSwitch/web")
        self.assertIn("2 to add", out)
        self.assertIn("VSwitch/more", out)
        self.assertIn("1 to add", self.headgate("plan", "-f", "net.yaml", "--exclude", "VSwitch/*"))

    def test_replace_makes_it_anew(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        before = self.state_ids()
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve", "--replace", "VSwitch/web")
        self.assertIn("1 added, 0 changed, 1 destroyed", out)
        self.assertNotEqual(self.state_ids()["VSwitch/web"], before["VSwitch/web"])
        self.assertEqual(self.state_ids()["VSwitch/more"], before["VSwitch/more"])

    def test_without_refresh_the_state_is_believed(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.headgate("mock", "delete", self.state_ids()["VSwitch/web"])
        self.headgate("plan", "-f", "net.yaml", "--refresh=false", "--detailed-exitcode", code=0)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=2)

    def test_pruning_deletes_what_is_not_desired_any_more(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.demo(VSWITCH)
        self.assertIn("0 added, 0 changed, 1 destroyed", self.headgate("apply", "-f", "net.yaml", "--auto-approve"))
        self.assertNotIn("VSwitch/more", self.state_ids())

    def test_an_empty_folder_of_manifests_deletes_nothing(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.write("net.yaml", STACK)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=4)
        self.assertEqual(len(self.state_ids()), 3)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", "--allow-empty")
        self.assertEqual(self.state_ids(), {})

    def test_unmanaged_things_are_listed(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.call("Vpc", "CreateVSwitch", VpcId=self.state_ids()["Vpc/main"], ZoneId="cn-shanghai-b",
                  CidrBlock="10.0.9.0/24", VSwitchName="strange")
        self.assertNotIn("strange", self.headgate("drift", "-f", "net.yaml"))
        out = self.headgate("drift", "-f", "net.yaml", "--unmanaged", "--detailed-exitcode", code=2)
        self.assertIn("strange", out)
        self.assertIn("Unmanaged: 1.", out)
        found = self.json_of("drift", "-f", "net.yaml", "--unmanaged", "--json")["unmanaged"]
        self.assertEqual([(o["type"], o["name"]) for o in found], [("VSwitch", "strange")])
        self.assertEqual(set(found[0]), {"type", "id", "name"})
        self.assertNotIn("unmanaged", self.json_of("drift", "-f", "net.yaml", "--json"))
        self.headgate("mock", "delete", found[0]["id"])
        self.assertIn("Unmanaged: 0.", self.headgate("drift", "-f", "net.yaml", "--unmanaged"))


if __name__ == "__main__":
    support.main()
