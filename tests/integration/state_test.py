"""The state: a cache that may be moved, forgotten, lost and rebuilt."""
import os
import sqlite3
import stat

import support
from support import STACK, VPC, VSWITCH


class State(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.state = self.folder / ".headgate" / "state.db"

    def lose_state(self):
        for file in self.state.parent.glob("state.db*"):
            file.unlink()

    def test_is_for_its_owner_only(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.state).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.state.parent).st_mode), 0o700)

    def test_list_and_show(self):
        self.assertEqual(self.headgate("state", "list").split(), ["Vpc/main", "VSwitch/web"])
        self.assertIn('cidrBlock', self.headgate("state", "show", "Vpc/main"))
        self.headgate("state", "show", "VSwitch/wep", code=1)
        self.assertIn("did you mean `VSwitch/web`?", self.err)
        self.headgate("state", "show", "VSwich/web", code=1)
        self.assertIn("did you mean `VSwitch`?", self.err)

    def test_addresses_may_be_typed_with_short_names_of_kinds(self):
        self.assertEqual(self.headgate("get", "vsw/web", "-o", "name"), "VSwitch/web\n")
        for short in ("vsw/web", "vswitches/web", "vswitch/web"):
            self.assertEqual(self.headgate("describe", short), self.headgate("describe", "VSwitch/web"))
            self.assertEqual(self.headgate("events", short), self.headgate("events", "VSwitch/web"))
        self.assertIn("created", self.headgate("events", "vsw/web"))
        self.assertIn("VSwitch/front", self.headgate("state", "mv", "vsw/web", "vsw/front"))
        self.assertEqual(self.headgate("state", "list").split(), ["Vpc/main", "VSwitch/front"])
        self.assertIn("VSwitch/front", self.headgate("state", "rm", "vsw/front"))
        self.headgate("state", "show", "vsw/front", code=1)
        self.assertIn("VSwitch/front is not recorded", self.err)
        self.headgate("get", "vsw", "web", code=1)
        self.assertIn("as NatGateway/nat1", self.err)

    def test_mv_is_undone_by_an_apply_of_the_old_address(self):
        id = self.state_ids()["VSwitch/web"]
        self.headgate("state", "mv", "VSwitch/web", "VSwitch/front")
        self.assertIn("Plan: 1 to adopt, 0 to add, 0 to change, 0 to destroy.", self.headgate("plan", "-f", "net.yaml"))
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertEqual(self.state_ids()["VSwitch/web"], id)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)

    def test_mv_renames_without_a_call(self):
        calls = self.changing_calls()
        self.headgate("state", "mv", "VSwitch/web", "VSwitch/front")
        self.assertEqual(self.headgate("state", "list").split(), ["Vpc/main", "VSwitch/front"])
        self.assertEqual(self.changing_calls(), calls)
        self.headgate("state", "mv", "VSwitch/gone", "VSwitch/x", code=1)
        self.headgate("state", "mv", "VSwitch/front", "Vpc/front", code=1)
        self.headgate("state", "mv", "VSwitch/front", "VSwitch/front", code=1)
        self.headgate("state", "mv", "VSwitch/front", "VSwitch/front~new", code=1)
        self.assertIn("cannot be an address", self.err)

    def test_rm_forgets_and_leaves_the_thing(self):
        self.headgate("state", "rm", "VSwitch/web")
        self.assertEqual(self.headgate("state", "list").split(), ["Vpc/main"])
        self.assertEqual(len(self.objects("vswitch")), 1)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)  # its tag says whose it is

    def test_rm_forgets_all_or_none(self):
        self.headgate("state", "rm", "VSwitch/web", "VSwitch/nothing", code=1)
        self.assertEqual(len(self.state_ids()), 2)

    def test_backup_is_a_state(self):
        self.headgate("state", "backup", "copy.db")
        self.assertEqual(self.headgate("state", "list", "--state", "copy.db"), self.headgate("state", "list"))
        self.headgate("state", "backup", "copy.db", code=1)

    def test_verify_finds_it_sound(self):
        self.assertRegex(self.headgate("state", "verify"), r"^ok: 1 stack, 2 records, 0 open intents, 2 generations, 1 run, ")

    def test_damaged_is_refused_and_not_overwritten(self):
        size = self.state.stat().st_size
        for name, damage in {
            "not a database": b"no state" * 1000,
            "somebody else's": None,
            "cut": self.state.read_bytes()[:size // 2],
        }.items():
            with self.subTest(name):
                self.lose_state()
                if damage is None:
                    with sqlite3.connect(self.state) as db:
                        db.execute("CREATE TABLE t (x)")
                else:
                    self.state.write_bytes(damage)
                before = self.state.read_bytes()
                self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=1)
                self.assertIn("state.db", self.err)
                self.headgate("state", "verify", code=1)
                self.headgate("get", "all", code=1)
                self.assertEqual(self.state.read_bytes(), before)

    def test_rebuild_has_everything_back(self):
        ids, calls = self.state_ids(), self.changing_calls()
        self.lose_state()
        out = self.headgate("state", "rebuild", "-f", "net.yaml")
        self.assertIn("2 resources recorded", out)
        self.assertEqual(self.state_ids(), ids)
        self.assertEqual(self.changing_calls(), calls)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)

    def test_rebuild_changes_nothing_and_tells_what_is_left(self):
        calls = self.changing_calls()
        self.headgate("mock", "set", self.state_ids()["VSwitch/web"], "VSwitchName=x")
        self.demo(VSWITCH + "  description: the web servers\n",
                  VSWITCH.replace("web", "more").replace("10.0.1", "10.0.2"))
        self.lose_state()
        out = self.headgate("state", "rebuild", "-f", "net.yaml")
        self.assertIn("VSwitch/more: create", out)
        self.assertIn("VSwitch/web: update", out)
        self.assertEqual(self.changing_calls(), calls)
        self.assertIn("Vpc/main", self.state_ids())

    def test_rebuild_reads_standard_input_once_for_both_of_its_passes(self):
        self.demo(VSWITCH + "  description: the web servers\n")
        self.lose_state()
        out = self.headgate("state", "rebuild", "-f", "-", input=(self.folder / "net.yaml").read_bytes())
        self.assertIn("VSwitch/web: update", out)
        self.assertEqual(list(self.state_ids()), ["Vpc/main"])

    def test_import_records_what_exists(self):
        vpc = self.call("Vpc", "CreateVpc", CidrBlock="172.16.0.0/12")["VpcId"]
        calls = self.changing_calls()
        self.headgate("import", "Vpc/other", vpc, "-f", "net.yaml")
        self.assertEqual(self.state_ids()["Vpc/other"], vpc)
        self.assertEqual(self.changing_calls(), calls)
        self.headgate("import", "Vpc/again", vpc, code=1)
        self.headgate("import", "Vpc/again~old", vpc, code=1)
        self.assertIn("cannot be an address", self.err)
        self.headgate("import", "Vpc/ghost", "vpc-nothing", code=1)
        self.headgate("import", "Vpx/other", vpc, code=1)

    def test_a_mistyped_path_makes_no_state(self):
        for command in (["state", "rm", "Vpc/main"], ["state", "mv", "Vpc/a", "Vpc/b"], ["state", "verify"],
                        ["state", "backup", "x.db"], ["unlock"]):
            self.headgate(*command, "--state", "typo.db", code=1)
            self.assertIn("typo.db", self.err)
        self.assertEqual(self.headgate("get", "all", "--state", "typo.db"), "")
        self.assertEqual(list(self.folder.glob("typo.db*")), [])

    def test_two_stacks_need_a_name(self):
        self.write("other.yaml", STACK.replace("demo", "other") + VPC.replace("10.0.0.0/8", "172.16.0.0/12"))
        self.headgate("apply", "-f", "other.yaml", "--auto-approve")
        self.headgate("get", "all", code=1)
        self.assertIn("`demo`, `other`", self.err)
        self.assertEqual(list(self.state_ids("--stack", "other")), ["Vpc/main"])
        self.headgate("get", "all", "--stack", "third", code=1)

    def test_a_run_tells_what_it_was_made_from(self):
        def digests():
            return [r["manifest_digest"] for r in self.json_of("history", "-o", "json")["runs"]]

        self.assertRegex(digests()[0], r"^[0-9a-f]{64}$")
        self.headgate("mock", "delete", self.state_ids()["VSwitch/web"])
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.headgate("mock", "delete", self.state_ids()["VSwitch/web"])
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", "--var", "A=b")
        self.headgate("destroy", "--stack", "demo", "--auto-approve")
        none, other, same, first = digests()
        self.assertEqual((none, same), ("", first))
        self.assertNotEqual(other, same)

    def test_history_and_events_tell_what_happened(self):
        self.assertIn("2 added, 0 changed, 0 destroyed", self.headgate("history"))
        self.assertIn("created", self.headgate("history", 1))
        for args in (["history", 99], ["events", "--run", 99]):
            self.headgate(*args, code=1)
            self.assertIn("has no run 99", self.err)
        self.assertIn("VSwitch/web", self.headgate("events", "VSwitch/web"))
        self.assertNotIn("Vpc/main", self.headgate("events", "VSwitch/web"))
        self.assertIn("demo", self.headgate("status"))
        self.assertIn("created", self.headgate("describe", "Vpc/main"))


if __name__ == "__main__":
    support.main()
