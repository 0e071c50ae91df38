"""State is a cache, for every kind: what it said is found again in the cloud."""
import json
import sqlite3

import support

IMAGE = "aliyun_3_x64_20G_alibase_20240819.vhd"
ECS = f"image: {IMAGE}, instanceType: ecs.t6-c1m1.large"
TAGS = "tags: {env: prod, 'a:b': ''}"

# kind, name, spec, lifecycle: each kind with all of its fields, and in each of its forms.
TABLE = [
    ("Vpc", "main", "cidrBlock: 10.0.0.0/16, secondaryCidrBlocks: [172.16.0.0/16, 192.168.0.0/20], "
                    f"name: the-main-one, description: all of it, {TAGS}", "preventDestroy: true"),
    ("Vpc", "bare", "cidrBlock: 10.0.0.0/16", ""),
    ("VSwitch", "web", f"vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.1.0/24, description: front, {TAGS}", ""),
    ("VSwitch", "data", "vpc: main, zone: cn-shanghai-g, cidrBlock: 10.0.2.0/24", "onRemoval: orphan"),
    ("VSwitch", "second", "vpc: main, zone: cn-shanghai-b, cidrBlock: 172.16.1.0/24", ""),
    ("SecurityGroup", "web", f"vpc: main, description: servers, innerAccess: Drop, {TAGS}", ""),
    ("SecurityGroup", "strict", "vpc: main, type: enterprise", ""),
    ("SecurityGroupRule", "http", "securityGroup: web, protocol: tcp, ports: '80', peer: {cidr: 0.0.0.0/0}, "
                                  "description: from anywhere", ""),
    ("SecurityGroupRule", "peers", "securityGroup: web, protocol: udp, ports: 8000/8080, priority: 7, "
                                   "peer: {securityGroup: web}", ""),
    ("SecurityGroupRule", "out", "securityGroup: web, direction: egress, policy: drop, protocol: all, "
                                 "peer: {cidr: 10.9.0.0/16}", ""),
    ("SecurityGroupRule", "ping", "securityGroup: strict, protocol: icmp, peer: {cidr: 10.0.0.0/8}", ""),
    ("Instance", "one", f"vSwitch: web, privateIp: 10.0.1.10, securityGroups: [web], description: first, {ECS}, {TAGS}", ""),
    ("Instance", "two", f"vSwitch: data, securityGroups: [web], {ECS}", ""),
    ("NatGateway", "nat", "vpc: main, vSwitch: web, icmpReply: false, deletionProtection: true, "
                          f"description: both ways, {TAGS}", ""),
    ("NatGateway", "plain", "vpc: main, vSwitch: data", ""),
    ("Eip", "out", f"bandwidth: 20, isp: BGP, description: the way out, deletionProtection: true, {TAGS}", ""),
    ("Eip", "more", "{}", ""),
    ("Eip", "in", "internetChargeType: PayByBandwidth", ""),
    ("Eip", "own", "bandwidth: 1", ""),
    ("EipAssociation", "out-nat", "eip: out, natGateway: nat", ""),
    ("EipAssociation", "more-nat", "eip: more, natGateway: nat", ""),
    ("EipAssociation", "in-plain", "eip: in, natGateway: plain", ""),
    ("EipAssociation", "own-two", "eip: own, instance: two", ""),
    ("SnatEntry", "web", "natGateway: nat, source: {vSwitch: web}, eips: [out, more], eipAffinity: true", ""),
    ("SnatEntry", "block", "natGateway: nat, source: {cidr: 10.0.2.0/28}, eips: [out]", ""),
    ("SnatEntry", "host", "natGateway: nat, source: {instance: one}, eips: [more], name: ones-own", ""),
    ("DnatEntry", "http", "natGateway: plain, eip: in, externalPort: '80', target: {instance: one}, internalPort: '8080'", ""),
    ("DnatEntry", "range", "natGateway: plain, eip: in, protocol: udp, externalPort: 10/20, target: {ip: 10.0.2.9}, "
                           "internalPort: 110/120, name: ten", ""),
    ("RouteTable", "system", "vpc: main, system: true", ""),
    ("RouteTable", "custom", f"vpc: main, description: by hand, {TAGS}", ""),
    ("RouteEntry", "default", "routeTable: custom, destination: 0.0.0.0/0, nextHop: {natGateway: nat}, name: the-default, "
                              "description: to the world", ""),
    ("RouteEntry", "by-host", "routeTable: system, destination: 10.77.0.0/16, nextHop: {instance: one}", ""),
    ("RouteTableAssociation", "web", "routeTable: custom, vSwitch: web", ""),
]
KINDS = list(dict.fromkeys(kind for kind, *_ in TABLE))
ROWS = ("SELECT kind, name, id, given, fields, prevent_destroy, orphan_on_removal, observed_only, incarnation"
        " FROM records ORDER BY kind, name")


def document(kind, name, spec, lifecycle):
    spec = spec if spec.startswith("{") else "{" + spec + "}"
    text = f"---\napiVersion: headgate/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
    return text + (f"lifecycle: {{{lifecycle}}}\n" if lifecycle else "")


class Cache(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.write("net.yaml", support.STACK + "".join(document(*row) for row in TABLE))
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.state = self.folder / ".headgate" / "state.db"
        self.rows = self.records()
        self.calls = self.changing_calls()

    def query(self, sql, *values):
        db = sqlite3.connect(self.state)
        try:
            with db:
                return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def records(self):
        """Without what the cloud sets and changes by itself, such as what an EIP is bound to."""
        def kept(kind, name, id, given, fields, *flags):
            given, fields = json.loads(given), json.loads(fields)
            return kind, name, id, given, {field: fields[field] for field in given}, *flags
        return [kept(*row) for row in self.query(ROWS)]

    def expect_found_again(self):
        """The plan does not miss it, and a rebuild brings it back as it was."""
        out = self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode")
        self.assertIn("No changes.", out)
        out = self.headgate("state", "rebuild", "-f", "net.yaml")
        self.assertIn(f"{len(TABLE)} resources recorded", out)
        for before, after in zip(self.rows, self.records(), strict=True):
            self.assertEqual(after, before)
        self.assertIn("No changes.", self.headgate("plan", "-f", "net.yaml", "--detailed-exitcode"))
        self.assertIn("ok: ", self.headgate("state", "verify"))
        self.assertEqual(self.changing_calls(), self.calls)

    def test_the_table_has_every_kind(self):
        schema = json.loads(self.headgate("schema"))
        self.assertEqual(["Stack", *KINDS], schema["properties"]["kind"]["enum"])

    def test_all_records_are_lost(self):
        for file in self.state.parent.glob("state.db*"):
            file.unlink()
        self.expect_found_again()

    def test_the_records_of_one_kind_are_lost(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.query("DELETE FROM records WHERE kind = ?", kind)
                self.expect_found_again()

    def test_only_the_records_of_one_kind_are_left(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.query("DELETE FROM records WHERE kind <> ?", kind)
                self.expect_found_again()


if __name__ == "__main__":
    support.main()
