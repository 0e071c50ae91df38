"""The scenario that must always work: two NAT gateways, one for the way out, one for the way in."""
import pathlib
import subprocess

import support

HAIRPIN = support.MANIFESTS / "nat-hairpin"
EXISTING = support.MANIFESTS / "nat-hairpin-existing"


class Hairpin(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()

    def test_applies_stays_drifts_is_corrected_and_goes(self):
        self.assertIn("22 to add, 0 to change, 0 to destroy", self.headgate("plan", "-f", HAIRPIN))
        out = self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        self.assertIn("NatGateway/nat1: Creating...", out)
        self.assertRegex(out, r"NatGateway/nat1: Creation complete after \d+s \[id=ngw-\w+\]")
        self.assertIn("Apply complete! Resources: 22 added, 0 changed, 0 destroyed.", out)
        self.assertEqual(len(self.changing_calls()), 22)

        self.assertIn("No changes.", self.headgate("plan", "-f", HAIRPIN, "--detailed-exitcode"))
        self.headgate("diff", "-f", HAIRPIN, code=0)
        before = self.changing_calls()
        self.assertIn("0 added, 0 changed, 0 destroyed", self.headgate("apply", "-f", HAIRPIN, "--auto-approve"))
        self.assertEqual(self.changing_calls(), before)

        ids = self.state_ids()
        self.headgate("mock", "set", ids["Eip/eip1"], "Bandwidth=9")
        self.headgate("mock", "delete", ids["SnatEntry/vsw1-out"])
        self.assertIn("SnatEntry/vsw1-out", self.headgate("drift", "-f", HAIRPIN))
        self.headgate("drift", "-f", HAIRPIN, "--detailed-exitcode", code=2)
        self.headgate("plan", "-f", HAIRPIN, "--detailed-exitcode", code=2)
        self.assertIn("Eip/eip1", self.headgate("diff", "-f", HAIRPIN, code=1))
        out = self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        self.assertIn("1 added, 1 changed, 0 destroyed", out)
        self.headgate("plan", "-f", HAIRPIN, "--detailed-exitcode", code=0)

        out = self.headgate("destroy", "-f", HAIRPIN, "--auto-approve")
        self.assertIn("Destroy complete! Resources: 22 destroyed.", out)
        self.assertEqual(self.state_ids(), {})
        self.assertEqual(self.objects("vpc"), [])
        self.assertEqual(self.objects("eip"), [])

    def test_destroy_needs_no_more_than_the_name(self):
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        self.headgate("destroy", "--stack", "nat-hairpin", "--auto-approve")
        self.assertEqual(self.objects("natgateway"), [])

    def test_without_its_state_nothing_is_made_twice(self):
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        before = self.changing_calls()
        for file in (self.folder / ".headgate").glob("state.db*"):
            file.unlink()
        self.headgate("plan", "-f", HAIRPIN, "--detailed-exitcode", code=0)
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        self.assertEqual(self.changing_calls(), before)
        self.assertEqual(len(self.state_ids()), 22)

    def test_no_call_is_refused_on_the_way(self):
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        self.headgate("destroy", "-f", HAIRPIN, "--auto-approve")
        refused = [c for c in self.changing_calls() if c[1] != "200"]
        self.assertEqual(refused, [])


class Existing(support.Case):
    """The network is there; only what makes the hairpin is missing."""

    def setUp(self):
        super().setUp()
        path = f"{pathlib.Path(support.PROGRAM).resolve().parent}:{self.env['PATH']}"
        subprocess.run([EXISTING / "make-network"], cwd=self.folder, env={**self.env, "PATH": path}, check=True,
                       timeout=support.PATIENCE_S)
        self.hurry()
        self.headgate("mock", "ledger", "--clear")

    def test_takes_exactly_twelve_changing_calls(self):
        out = self.headgate("apply", "-f", EXISTING, "--auto-approve")
        self.assertIn("12 added, 0 changed, 0 destroyed", out)
        calls = self.changing_calls()
        self.assertEqual(len(calls), 12, calls)
        self.assertEqual({status for _, status in calls}, {"200"})
        self.headgate("plan", "-f", EXISTING, "--detailed-exitcode", code=0)

    def test_leaves_what_it_did_not_make(self):
        self.headgate("apply", "-f", EXISTING, "--auto-approve")
        self.assertIn("12 destroyed", self.headgate("destroy", "-f", EXISTING, "--auto-approve"))
        self.assertEqual(self.objects("natgateway"), [])
        self.assertEqual(len(self.objects("vpc")), 1)
        self.assertEqual(len(self.objects("vswitch")), 2)
        self.assertEqual(len(self.objects("eip")), 2)
        self.assertEqual(len(self.objects("instance")), 2)


if __name__ == "__main__":
    support.main()
