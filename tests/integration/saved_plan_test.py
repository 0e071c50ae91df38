"""Saved plans: carried out exactly, or not at all."""
import json
import os
import stat

import support
from support import STACK, VPC, VSWITCH


class SavedPlan(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH)

    def save(self, *flags):
        return self.headgate("plan", "-f", "net.yaml", "--out", "plan.json", *flags)

    def test_is_carried_out_without_asking(self):
        self.assertIn("plan.json", self.save())
        out = self.headgate("apply", "plan.json")
        self.assertIn("Apply complete! Resources: 2 added, 0 changed, 0 destroyed.", out)
        self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode", code=0)

    def test_needs_nothing_but_itself(self):
        self.write("net.yaml", STACK.replace("  region: cn-shanghai\n", "  variables: {BLOCK: 10.0.0.0/8}\n") +
                   VPC.replace("10.0.0.0/8", "${BLOCK}"))
        self.save("--var", "BLOCK=172.16.0.0/12")
        (self.folder / "net.yaml").unlink()
        self.headgate("apply", "plan.json")
        self.assertEqual(self.call("Vpc", "DescribeVpcs")["Vpcs"]["Vpc"][0]["CidrBlock"], "172.16.0.0/12")

    def test_may_come_from_standard_input(self):
        self.headgate("plan", "-f", "-", "--out", "plan.json", input=(STACK + VPC).encode())
        self.headgate("apply", "plan.json")

    def test_of_a_destroy_destroys(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.save("--destroy")
        self.assertIn("Destroy complete! Resources: 2 destroyed.", self.headgate("apply", "plan.json"))

    def test_keeps_its_targets(self):
        self.save("--target", "Vpc/main")
        self.headgate("apply", "plan.json")
        self.assertEqual(list(self.state_ids()), ["Vpc/main"])

    def test_is_for_its_owner_only(self):
        self.save()
        self.assertEqual(stat.S_IMODE(os.stat(self.folder / "plan.json").st_mode), 0o600)
        self.assertEqual([p.name for p in self.folder.glob("plan.json*")], ["plan.json"])
        saved = json.loads((self.folder / "plan.json").read_text())
        self.assertEqual(saved["format_version"], "1.0")
        self.assertEqual([c["address"] for c in saved["changes"]], ["Vpc/main", "VSwitch/web"])

    def test_cannot_be_written_where_there_is_no_folder(self):
        self.headgate("plan", "-f", "net.yaml", "--out", "nowhere/plan.json", code=1)
        self.assertIn("nowhere/plan.json", self.err)

    def test_does_not_take_the_place_of_something_else(self):
        before = (self.folder / "net.yaml").read_bytes()
        self.headgate("plan", "-f", "net.yaml", "--out", "net.yaml", code=1)
        self.assertIn("net.yaml exists and is not a saved plan", self.err)
        self.assertEqual((self.folder / "net.yaml").read_bytes(), before)
        self.headgate("plan", "-f", "net.yaml", "--out", "again.json")
        self.headgate("plan", "-f", "net.yaml", "--out", "again.json")

    def test_is_stale_when_it_was_applied_already(self):
        self.save()
        self.headgate("apply", "plan.json")
        calls = self.changing_calls()
        self.headgate("apply", "plan.json", code=6)
        self.assertIn("stale", self.err)
        self.assertIn("Vpc/main", self.err)
        self.assertEqual(self.changing_calls(), calls)

    def test_is_stale_when_the_cloud_has_changed(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.demo(VSWITCH + "  description: the web servers\n")
        self.save()
        self.headgate("mock", "delete", self.state_ids()["VSwitch/web"])
        calls = self.changing_calls()
        self.headgate("apply", "plan.json", code=6)
        self.assertIn("VSwitch/web: update was planned, now create", self.err)
        self.assertEqual(self.changing_calls(), calls)

    def test_is_stale_when_the_same_change_has_other_values(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.demo(VSWITCH + "  description: the web servers\n")
        self.save()
        self.headgate("mock", "set", self.state_ids()["VSwitch/web"], "Description=other")
        self.headgate("apply", "plan.json", code=6)
        self.assertIn("VSwitch/web", self.err)

    def test_is_stale_when_the_state_was_written(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.demo(VSWITCH + "  description: the web servers\n")
        self.save()
        self.headgate("state", "mv", "VSwitch/web", "VSwitch/other")
        self.headgate("state", "mv", "VSwitch/other", "VSwitch/web")
        self.headgate("apply", "plan.json", code=6)
        self.assertIn("serial", self.err)

    def test_of_another_state_is_stale(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve", "--target", "Vpc/main")
        self.save()
        self.headgate("apply", "plan.json", "--state", "other.db", code=6)

    def test_does_not_take_flags_that_would_change_it(self):
        self.save()
        self.headgate("apply", "plan.json", "--target", "Vpc/main", code=1)
        self.assertIn("--target", self.err)

    def test_that_is_damaged_is_refused(self):
        self.save()
        whole = (self.folder / "plan.json").read_text()
        for name, damage in {
            "cut": whole[:len(whole) // 2],
            "of another format": whole.replace('"format_version": "1.0"', '"format_version": "9.0"'),
            "without changes": whole.replace('"changes"', '"chances"'),
            "with a wrong type": whole.replace('"prune": "declared"', '"prune": "yes"'),
        }.items():
            with self.subTest(name):
                self.assertNotEqual(damage, whole)
                self.write("plan.json", damage)
                self.headgate("apply", "plan.json", code=1)
                self.assertIn("plan again", self.err)
        self.assertEqual(self.changing_calls(), [])

    def test_of_another_version_is_stale(self):
        self.save()
        saved = json.loads((self.folder / "plan.json").read_text())
        saved["headgate_version"] = "0.0.0"
        self.write("plan.json", json.dumps(saved))
        self.headgate("apply", "plan.json", code=6)


if __name__ == "__main__":
    support.main()
