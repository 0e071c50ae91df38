"""The person's hand on the simulated cloud."""
import support
from support import VSWITCH


class Mock(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()

    def test_call_prints_the_answer(self):
        vpc = self.call("Vpc", "CreateVpc", CidrBlock="10.0.0.0/8", VpcName="by-hand")["VpcId"]
        found = self.call("Vpc", "DescribeVpcs", VpcId=vpc)["Vpcs"]["Vpc"]
        self.assertEqual([v["VpcName"] for v in found], ["by-hand"])
        self.assertIn("by-hand", self.headgate("mock", "list", "vpc"))
        self.assertEqual(self.headgate("mock", "list", "Vpc"), self.headgate("mock", "list", "vpc"))

    def test_call_tells_what_the_cloud_refuses(self):
        self.assertIn("Code", self.json_of("mock", "call", "Vpc", "DeleteVpc", "VpcId=vpc-nothing", code=1))
        self.headgate("mock", "call", "Vpc", "DescribeVpcs", "VpcId", code=1)
        self.assertIn("NAME=VALUE", self.err)

    def test_set_and_delete_work_behind_headgates_back(self):
        self.demo(VSWITCH)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        ids = self.state_ids()
        self.headgate("mock", "set", ids["Vpc/main"], "Nonsense=1", code=1)
        self.headgate("mock", "set", "vpc-nothing", "Description=x", code=1)
        self.headgate("mock", "delete", ids["Vpc/main"], "--force")
        self.assertEqual(self.objects("vpc"), [])
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertIn("2 added, 0 changed, 0 destroyed", out)

    def test_a_fault_is_survived(self):
        self.demo(VSWITCH)
        for code in ("timeout-after", "timeout-before", "reset", "http-503", "Throttling.User"):
            with self.subTest(code):
                self.headgate("mock", "fail-next", "CreateVSwitch", code)
                self.headgate("apply", "-f", "net.yaml", "--auto-approve")
                self.assertEqual(len(self.objects("vswitch")), 1)
                self.headgate("destroy", "-f", "net.yaml", "--auto-approve")

    def test_ledger_and_reset(self):
        self.call("Vpc", "CreateVpc")
        self.call("Vpc", "DescribeVpcs")
        self.assertEqual(self.changing_calls(), [("CreateVpc", "200")])
        self.assertEqual(len(self.headgate("mock", "ledger", "--clear").splitlines()), 2)
        self.assertEqual(self.headgate("mock", "ledger").splitlines(), [])
        self.headgate("mock", "reset")
        self.assertEqual(self.objects("vpc"), [])

    def test_latency_wants_something_to_set(self):
        self.headgate("mock", "latency", code=1)
        self.headgate("mock", "latency", "--speed", "0", code=1)
        self.headgate("mock", "latency", "--speed", "fast", code=1)

    def test_options_are_checked(self):
        self.headgate("mock", "option", "quota-vpcs", "1")
        self.headgate("mock", "option", "quota-vcps", "1", code=1)
        self.call("Vpc", "CreateVpc")
        self.json_of("mock", "call", "Vpc", "CreateVpc", code=1)


if __name__ == "__main__":
    support.main()
