"""What headgate did not make and was not told to adopt is never changed or deleted."""
import os

import support

NAT = """\
---
apiVersion: headgate/v1
kind: NatGateway
metadata:
  name: nat
spec:
  vpc: main
  vSwitch: web
---
apiVersion: headgate/v1
kind: Eip
metadata:
  name: out
spec: {}
---
apiVersion: headgate/v1
kind: EipAssociation
metadata:
  name: bound
spec:
  eip: out
  natGateway: nat
  snatFor: [web]
"""

INSTANCES = """\
---
apiVersion: headgate/v1
kind: SecurityGroup
metadata: {name: web}
spec: {vpc: main}
---
apiVersion: headgate/v1
kind: Instance
metadata: {name: one}
spec: {vSwitch: web, securityGroups: [web], image: any.vhd, instanceType: ecs.t6-c1m1.large}
---
apiVersion: headgate/v1
kind: Instance
metadata: {name: two}
spec: {vSwitch: web, securityGroups: [web], image: any.vhd, instanceType: ecs.t6-c1m1.large}
"""

ROUTE = """\
---
apiVersion: headgate/v1
kind: RouteTable
metadata: {name: system}
spec:
  vpc: main
  system: true
  routes: [{destination: 172.16.0.0/12, nextHop: {instance: %s}}]
"""

ADOPTING = support.VPC.replace("spec:\n", "lifecycle: {adopt: %s}\nspec:\n")


class Ownership(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()

    def test_a_stranger_in_what_is_destroyed_is_named_before_anything_is_touched(self):
        self.write("stack.yaml", support.STACK + support.VPC + support.VSWITCH)
        self.headgate("apply", "-f", "stack.yaml", "--auto-approve")
        vpc = self.state_ids()["Vpc/main"]
        stranger = self.call("Vpc", "CreateVSwitch", RegionId="cn-shanghai", VpcId=vpc, ZoneId="cn-shanghai-b",
                             CidrBlock="10.9.0.0/24", VSwitchName="stranger")["VSwitchId"]
        before = self.changing_calls()
        self.headgate("destroy", "-f", "stack.yaml", "--auto-approve", code=4)
        self.assertIn(f"Vpc/main: VSwitch {stranger} (stranger) lies in it and is not headgate's to delete", self.err)
        self.assertIn("--exclude Vpc/main", self.err)
        self.assertEqual(self.changing_calls(), before)
        self.headgate("destroy", "-f", "stack.yaml", "--auto-approve", "--exclude", "Vpc/main")
        self.assertEqual([o["id"] for o in self.objects("vswitch")], [stranger])

    def test_what_lost_its_record_and_its_manifest_is_told_how_to_come_back(self):
        self.write("net.yaml", support.STACK + support.VPC + support.VSWITCH)
        nat = self.write("nat.yaml", NAT)
        self.headgate("apply", "-f", ".", "--auto-approve")
        os.remove(self.folder / ".headgate/state.db")
        os.remove(nat)
        self.headgate("plan", "-f", ".", code=4)
        self.assertIn("is not headgate's to delete", self.err)
        self.assertIn("bring its manifest back and run `headgate state rebuild` first", self.err)
        self.write("nat.yaml", NAT)
        self.headgate("state", "rebuild", "-f", ".")
        os.remove(nat)
        self.headgate("apply", "-f", ".", "--auto-approve")
        self.assertEqual(self.objects("natgateway"), [])

    def test_a_strangers_route_in_our_vpcs_own_table_is_not_changed(self):
        self.write("net.yaml", support.STACK + support.VPC + support.VSWITCH + INSTANCES)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        table = next(o["id"] for o in self.objects("routetable"))
        self.call("Vpc", "CreateRouteEntry", RegionId="cn-shanghai", RouteTableId=table, NextHopType="Instance",
                  DestinationCidrBlock="172.16.0.0/12", NextHopId=self.state_ids()["Instance/one"])
        self.write("net.yaml", support.STACK + support.VPC + support.VSWITCH + INSTANCES + ROUTE % "two")
        self.headgate("plan", "-f", "net.yaml", code=1)
        self.assertIn("is not ours, and differs in `nextHop.instance`", self.err)

    def test_a_vpc_that_exists_is_adopted_only_when_told_so(self):
        vpc = self.call("Vpc", "CreateVpc", RegionId="cn-shanghai", CidrBlock="10.0.0.0/8", VpcName="main")["VpcId"]
        self.write("adopt.yaml", support.STACK + ADOPTING % vpc)
        out = self.headgate("plan", "-f", "adopt.yaml")
        self.assertIn("Plan: 1 to adopt, 0 to add, 0 to change, 0 to destroy.", out)
        self.headgate("apply", "-f", "adopt.yaml", "--auto-approve")
        self.assertEqual(self.state_ids(), {"Vpc/main": vpc})
        self.headgate("plan", "-f", "adopt.yaml", "--detailed-exitcode")

    def test_what_another_stack_owns_is_a_conflict(self):
        self.write("stack.yaml", support.STACK + support.VPC)
        self.headgate("apply", "-f", "stack.yaml", "--auto-approve")
        vpc = self.state_ids()["Vpc/main"]
        self.write("other.yaml", support.STACK.replace("demo", "other") + ADOPTING % vpc)
        self.headgate("plan", "-f", "other.yaml", code=1)
        self.assertIn('belongs to stack "demo"', self.err)

    def test_an_imported_resource_is_planned_against(self):
        vpc = self.call("Vpc", "CreateVpc", RegionId="cn-shanghai", CidrBlock="10.0.0.0/8", VpcName="old")["VpcId"]
        self.write("stack.yaml", support.STACK + support.VPC)
        self.headgate("import", "Vpc/main", vpc, "-f", "stack.yaml")
        out = self.headgate("plan", "-f", "stack.yaml")
        self.assertIn("Plan: 1 to adopt, 0 to add, 0 to change, 0 to destroy.", out)  # its ownership tags
        self.headgate("apply", "-f", "stack.yaml", "--auto-approve")
        self.assertEqual(self.state_ids(), {"Vpc/main": vpc})
        self.assertIn("No changes.", self.headgate("plan", "-f", "stack.yaml"))

    def test_a_resource_that_may_not_be_destroyed_stays_though_its_manifest_is_gone(self):
        kept = support.VPC.replace("spec:\n", "lifecycle: {preventDestroy: true}\nspec:\n")
        self.write("stack.yaml", support.STACK + kept)
        self.headgate("apply", "-f", "stack.yaml", "--auto-approve")
        self.write("stack.yaml", support.STACK + support.VPC.replace("main", "another"))
        self.headgate("plan", "-f", "stack.yaml", code=4)
        self.assertIn("may not be destroyed: lifecycle.preventDestroy is set", self.err)

    def test_a_resource_to_be_orphaned_is_forgotten_not_deleted(self):
        left = support.VPC.replace("spec:\n", "lifecycle: {onRemoval: orphan}\nspec:\n")
        self.write("stack.yaml", support.STACK + left)
        self.headgate("apply", "-f", "stack.yaml", "--auto-approve")
        vpc = self.state_ids()["Vpc/main"]
        self.headgate("destroy", "-f", "stack.yaml", "--auto-approve")
        self.assertEqual(self.state_ids(), {})
        self.assertEqual([o["id"] for o in self.objects("vpc")], [vpc])


if __name__ == "__main__":
    support.main()
