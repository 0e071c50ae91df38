"""The JSON Schema agrees with headgate itself on what a manifest is."""
import json
import unittest

import support

try:
    import jsonschema
    import yaml
except ImportError:  # Debian: python3-jsonschema, python3-yaml
    jsonschema = None


def document(kind, spec, **more):
    return {"apiVersion": "headgate/v1", "kind": kind, "metadata": {"name": "demo"}, "spec": spec, **more}


OBSERVE = {"management": "observe"}
SNAT = {"natGateway": {"id": "ngw-1"}, "eips": [{"id": "eip-1"}]}

GOOD = {
    "a kind without required fields": document("Eip", {}),
    "a word in another case": document("Eip", {"isp": "bgp"}),
    "null for unset": document("Eip", {"bandwidth": None}),
    "an observed object by id": document("Vpc", {"id": "vpc-1"}, lifecycle=OBSERVE),
    "an observed object by name": document("Vpc", {"name": "prod"}, lifecycle=OBSERVE),
    "a look-up": document("NatGateway", {"vpc": {"id": "vpc-1"}, "vSwitch": {"name": "b", "tags": {"a": "b"}}}),
    "one of a group": document("SnatEntry", {**SNAT, "source": {"cidr": "10.0.0.0/8"}}),
    "a port as a number": document("SecurityGroupRule", {
        "securityGroup": {"id": "sg-1"}, "protocol": "tcp", "ports": 80, "peer": {"cidr": "0.0.0.0/0"}}),
}

BAD = {
    "a missing field": document("Vpc", {}),
    "no spec": {k: v for k, v in document("Vpc", {}).items() if k != "spec"},
    "an unknown field": document("Vpc", {"cidrBlock": "10.0.0.0/8", "cidrBlok": "x"}),
    "an unknown kind": document("Vpcs", {}),
    "an unknown part": document("Eip", {}, status={}),
    "something that is no block": document("Vpc", {"cidrBlock": "ten"}),
    "a quoted number": document("Eip", {"bandwidth": "5"}),
    "a field of the cloud": document("Eip", {"address": "10.0.0.1"}),
    "two of a group": document("SnatEntry", {**SNAT, "source": {"cidr": "10.0.0.0/8", "vSwitch": {"id": "vsw-1"}}}),
    "none of a group": document("SnatEntry", SNAT),
    "an unknown management": document("Eip", {}, lifecycle={"management": "watch"}),
    "an unknown provider": document("Stack", {"provider": "aws"}),
    "a list for one reference": document("VSwitch", {"vpc": ["a"], "zone": "cn-shanghai-b", "cidrBlock": "10.0.0.0/24"}),
    "a bad zone": document("VSwitch", {"vpc": "a", "zone": "B", "cidrBlock": "10.0.0.0/24"}),
    "a bad name": {**document("Eip", {}), "metadata": {"name": "Demo"}},
}


@unittest.skipIf(jsonschema is None, "python3-jsonschema or python3-yaml is not installed")
class Schema(support.Case):
    def setUp(self):
        super().setUp()
        schema = self.json_of("schema")
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def test_accepts_the_worked_examples(self):
        for path in sorted(support.MANIFESTS.glob("*/*.yaml")):
            for doc in yaml.safe_load_all(path.read_text(encoding="utf-8")):
                with self.subTest(file=path.name, kind=doc["kind"], name=doc["metadata"]["name"]):
                    self.assertEqual([e.message for e in self.validator.iter_errors(doc)], [])

    def validates(self, doc):
        path = self.folder / "demo.yaml"
        path.write_text(yaml.safe_dump(doc), encoding="utf-8")
        return self.run_program("validate", "-f", path).returncode == 0

    def test_accepts_what_headgate_accepts(self):
        for name, doc in GOOD.items():
            with self.subTest(name):
                self.assertEqual([e.message for e in self.validator.iter_errors(doc)], [])
                self.assertTrue(self.validates(doc))

    def test_refuses_what_headgate_refuses(self):
        for name, doc in BAD.items():
            with self.subTest(name):
                self.assertFalse(self.validator.is_valid(doc))
                self.assertFalse(self.validates(doc))


if __name__ == "__main__":
    unittest.main()
