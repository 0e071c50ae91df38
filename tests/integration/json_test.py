"""Output for machines parses, and has the shape that it is documented with."""
import json
import xml.etree.ElementTree

import support
from support import STACK, VPC, VSWITCH


class Json(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.demo(VSWITCH)

    def events(self, *args, **more):
        out = self.headgate(*args, "--json", **more)
        return [json.loads(line) for line in out.splitlines()]

    def test_plan(self):
        plan = self.json_of("plan", "-f", "net.yaml", "--json")
        self.assertIn("format_version", plan)
        self.assertIn("timestamp", plan)
        changes = {c["address"]: c["change"] for c in plan["resource_changes"]}
        self.assertEqual(changes["Vpc/main"]["actions"], ["create"])
        self.assertIsNone(changes["Vpc/main"]["before"])
        self.assertEqual(changes["Vpc/main"]["after"]["cidrBlock"], "10.0.0.0/8")

    def test_apply_is_one_event_per_line(self):
        events = self.events("apply", "-f", "net.yaml", "--auto-approve")
        for e in events:
            for key in ("@level", "@message", "@module", "@timestamp", "type"):
                self.assertIn(key, e)
        types = [e["type"] for e in events]
        self.assertEqual(types[0], "version")
        self.assertEqual(events[0]["ui"], "1.0")
        self.assertEqual(types.count("planned_change"), 2)
        self.assertEqual(types.count("apply_start"), 2)
        self.assertEqual(types.count("apply_complete"), 2)
        self.assertEqual(types[-1], "change_summary")
        self.assertEqual(events[-1]["changes"],
                         {"add": 2, "change": 0, "remove": 0, "import": 0, "forget": 0, "operation": "apply"})
        created = next(e for e in events if e["type"] == "apply_complete")["hook"]
        self.assertEqual(created["resource"]["addr"], "Vpc/main")
        self.assertTrue(created["id_value"].startswith("vpc-"))

    def test_apply_without_changes_and_destroy(self):
        self.events("apply", "-f", "net.yaml", "--auto-approve")
        again = self.events("apply", "-f", "net.yaml", "--auto-approve")
        self.assertEqual([e["type"] for e in again], ["version", "change_summary", "change_summary"])
        gone = self.events("destroy", "-f", "net.yaml", "--auto-approve")
        self.assertEqual(gone[-1]["changes"]["remove"], 2)
        self.assertEqual(gone[-1]["changes"]["operation"], "destroy")

    def test_failures_are_events_too(self):
        self.headgate("mock", "fail-next", "CreateVpc", "InvalidCidrBlock.Malformed", "--count", 5)
        events = self.events("apply", "-f", "net.yaml", "--auto-approve", code=1)
        self.assertEqual(self.err, "")
        failed = next(e for e in events if e["type"] == "diagnostic")["diagnostic"]
        self.assertEqual(failed["address"], "Vpc/main")
        self.assertEqual(failed["code"], "InvalidCidrBlock.Malformed")
        self.assertTrue(failed["request_id"])
        self.assertIn("apply_errored", [e["type"] for e in events])

    def test_wrong_manifests_are_events_too(self):
        self.write("bad.yaml", VPC + "  nope: 1\n")
        events = self.events("apply", "-f", "bad.yaml", "--auto-approve", code=1)
        self.assertEqual(self.err, "")
        self.assertEqual({e["type"] for e in events}, {"version", "diagnostic"})
        self.assertEqual(events[1]["diagnostic"]["range"]["start"]["line"], 8)

    def test_drift_is_an_event(self):
        self.events("apply", "-f", "net.yaml", "--auto-approve")
        self.headgate("mock", "delete", self.state_ids()["VSwitch/web"])
        events = self.events("apply", "-f", "net.yaml", "--auto-approve")
        drift = next(e for e in events if e["type"] == "resource_drift")["change"]
        self.assertEqual((drift["resource"]["addr"], drift["action"]), ("VSwitch/web", "delete"))

    def test_every_command_with_an_output_format(self):
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        for command, key in ((["get", "all"], "items"), (["status"], "stacks"), (["events"], "events"),
                             (["history"], "runs"), (["history", "1"], "events"), (["version"], "version")):
            told = self.json_of(*command, "-o", "json")
            self.assertIn("format_version", told)
            self.assertTrue(told[key])
            self.assertIn("format_version", self.headgate(*command, "-o", "yaml"))
        vswitch = self.json_of("describe", "VSwitch/web", "-o", "json")
        self.assertEqual(vswitch["spec"]["cidrBlock"], "10.0.1.0/24")
        self.assertEqual(vswitch["spec"]["vpc"], {"id": self.state_ids()["Vpc/main"]})
        self.assertEqual(self.headgate("get", "vsw", "-o", "name"), "VSwitch/web\n")
        self.assertEqual(len(self.headgate("get", "vswitches", "-o", "wide").splitlines()), 2)

    def test_nothing_is_json_too(self):
        self.assertEqual(self.json_of("get", "all", "-o", "json")["items"], [])
        self.assertEqual(self.json_of("status", "-o", "json")["stacks"], [])
        self.assertEqual(self.headgate("get", "all"), "")

    def test_validate_schema_and_the_mock(self):
        self.assertIs(self.json_of("validate", "-f", "net.yaml", "--json")["valid"], True)
        self.assertIn("$schema", self.json_of("schema"))
        self.headgate("plan", "-f", "net.yaml")
        self.assertIsInstance(self.json_of("mock", "list", "--json"), (list, dict))
        self.assertTrue(self.json_of("mock", "ledger", "--json"))

    def test_graphs(self):
        for flags in ([], ["--plan"]):
            self.assertIn("digraph", self.headgate("graph", "-f", "net.yaml", *flags))
            self.assertIn("flowchart", self.headgate("graph", "-f", "net.yaml", "--format", "mermaid", *flags))
            svg = self.headgate("graph", "-f", "net.yaml", "--format", "svg", *flags)
            self.assertTrue(xml.etree.ElementTree.fromstring(svg).tag.endswith("svg"))


class YamlIsReadBack(support.Case):
    def test_a_dump_names_what_it_holds(self):
        self.hurry()
        self.write("net.yaml", STACK + VPC.replace("cidrBlock", 'description: "yes: #no"\n  cidrBlock'))
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        dump = self.headgate("describe", "Vpc/main", "-o", "yaml")
        self.assertIn('  description: "yes: #no"\n', dump)
        self.assertIn("kind: Vpc\n", dump)


if __name__ == "__main__":
    support.main()
