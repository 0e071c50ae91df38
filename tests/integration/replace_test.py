"""Replacements, and what goes with them."""
import shutil

import support


class Replace(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        shutil.copytree(support.MANIFESTS / "nat-hairpin", self.folder / "m")
        self.headgate("apply", "-f", "m", "--auto-approve")

    def edit(self, name, old, new):
        path = self.folder / "m" / name
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))

    def refused_calls(self):
        return [c for c in self.changing_calls() if c[1] != "200"]

    def test_a_vswitch_is_replaced_with_all_that_lies_in_it(self):
        self.edit("network.yaml", "192.168.1.0/24", "192.168.7.0/24")
        self.edit("instances.yaml", "192.168.1.10", "192.168.7.10")
        self.headgate("apply", "-f", "m", "--auto-approve")
        self.headgate("plan", "-f", "m", "--detailed-exitcode")
        self.assertEqual(self.refused_calls(), [])

    def test_a_gateway_is_made_before_the_old_one_goes(self):
        old = self.state_ids()["NatGateway/nat1"]
        self.edit("nat.yaml", "name: nat1\nspec:\n  vpc: hairpin\n  vSwitch: vsw1", "name: nat1\nspec:\n  vpc: hairpin\n  vSwitch: vsw2")
        out = self.headgate("apply", "-f", "m", "--auto-approve")
        self.assertLess(out.index("NatGateway/nat1: Creating"), out.index("NatGateway/nat1: Destroying"))
        self.assertNotEqual(self.state_ids()["NatGateway/nat1"], old)
        self.headgate("plan", "-f", "m", "--detailed-exitcode")
        self.assertEqual(self.refused_calls(), [])

    def test_a_part_of_a_replacement_alone_is_refused_with_what_is_missing(self):
        self.edit("nat.yaml", "name: nat1\nspec:\n  vpc: hairpin\n  vSwitch: vsw1", "name: nat1\nspec:\n  vpc: hairpin\n  vSwitch: vsw2")
        self.headgate("plan", "-f", "m", "--target", "NatGateway/nat1", code=4)
        self.assertIn("SnatEntry/vsw1-out lies in it and is left out by --target or --exclude", self.err)
        self.assertIn("--target SnatEntry/vsw1-out", self.err)

    def test_an_address_that_is_not_known_is_an_error(self):
        for flag in ("--target", "--exclude", "--replace"):
            self.headgate("plan", "-f", "m", flag, "Instance/nope", code=1)
            self.assertIn(f"{flag} Instance/nope: there is no such resource", self.err)

    def test_a_gateways_own_default_route_is_nobodys_surprise(self):
        self.assertIn("No drift.", self.headgate("drift", "--unmanaged", "-f", "m"))
        self.assertNotIn("RouteEntry", self.headgate("drift", "--unmanaged", "-f", "m"))

    def test_what_the_cloud_protects_is_refused_before_anything_is_touched(self):
        self.headgate("mock", "set", self.state_ids()["NatGateway/nat1"], "DeletionProtection=true")
        before = self.changing_calls()
        self.headgate("destroy", "-f", "m", "--auto-approve", code=4)
        self.assertIn("the cloud protects it against deletion", self.err)
        self.assertEqual(self.changing_calls(), before)


if __name__ == "__main__":
    support.main()
