"""What docs/json.md and docs/saved-plan.md promise is what the program prints, and nothing is left unsaid."""
import json
import re

import support
from support import STACK, VPC, VSWITCH

TYPES = {"string": str, "integer": int, "bool": bool, "object": dict, "array": list, "array of strings": list,
         "resource": dict, "string or null": (str, type(None))}


class Table:
    """Rows "| `key` | type | …" below a heading: types by key, and the keys that may be left out."""

    def __init__(self, text):
        self.types, self.optional = {}, set()
        for key, words in re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE):
            kind, _, condition = words.strip().partition(", ")
            self.types[key] = TYPES[kind]
            if condition == "*if*":
                self.optional.add(key)


def sections(name):
    """Text by heading."""
    parts = re.split(r"^#+ (.*)$", (support.SOURCE / "docs" / name).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def flat(value, stop, path=""):
    """The paths of all that is in it; what 'stop' names is not looked into."""
    for key, item in value.items():
        here = f"{path}{key}"
        if isinstance(item, dict) and here not in stop:
            yield from flat(item, stop, here + ".")
        else:
            yield here, item
        if isinstance(item, list) and item and isinstance(item[0], dict):
            for one in item:
                yield from flat(one, stop, here + "[].")


class Documented(support.Case):
    def check(self, seen, table, what):
        """'seen': the (path, value) pairs of each document."""
        found = set()
        for pairs in seen:
            pairs = dict(pairs)
            found |= set(pairs)
            for path, value in pairs.items():
                self.assertIn(path, table.types, f"{what}: `{path}` is not documented")
                self.assertIsInstance(value, table.types[path], f"{what}: `{path}`")
            self.assertEqual(set(table.types) - table.optional - set(pairs), set(), f"{what}: always there")
        self.assertEqual(set(table.types) - found, set(), f"{what}: documented, never seen")


class Events(Documented):
    """Runs that together print every type of event with each of its keys."""

    def setUp(self):
        super().setUp()
        self.headgate("mock", "latency", "--speed", 1000, "--latency", 0)
        self.seen = []

    def run_json(self, *args, code=0):
        out = self.headgate(*args, "--auto-approve", "--json", code=code)
        self.seen += [json.loads(line) for line in out.splitlines()]

    def provoke(self):
        self.demo(VSWITCH)
        self.headgate("mock", "fail-next", "CreateVpc", "TaskConflict", "--count", 3)
        self.run_json("apply", "-f", "net.yaml")
        self.headgate("mock", "delete", self.state_ids()["VSwitch/web"])
        self.headgate("mock", "fail-next", "CreateVSwitch", "TaskConflict")
        self.headgate("mock", "fail-next", "CreateVSwitch", "InvalidCidrBlock.Malformed", "--count", 9)
        self.run_json("apply", "-f", "net.yaml", code=1)
        self.headgate("mock", "reset")
        self.headgate("mock", "latency", "--speed", 1000, "--latency", 0)
        self.headgate("mock", "fail-next", "CreateVpc", "InvalidCidrBlock.Malformed", "--count", 9)
        self.run_json("apply", "-f", "net.yaml", code=1)  # and the vSwitch is not tried
        self.headgate("mock", "reset")
        self.headgate("mock", "latency", "--speed", 1000, "--latency", 0)
        self.run_json("apply", "-f", "net.yaml")
        self.demo(VSWITCH.replace("name: web", "name: front") + "lifecycle: {renamedFrom: web}\n")
        self.headgate("mock", "fail-next", "TagResources", "TaskConflict", "--count", 3)
        self.run_json("apply", "-f", "net.yaml")
        self.headgate("mock", "fail-next", "DeleteVSwitch", "Forbidden.RAM", "--count", 9)
        self.run_json("destroy", "-f", "net.yaml", code=3)
        self.headgate("mock", "reset")
        self.write("bad.yaml", VPC + "  nope: 1\n")
        self.run_json("apply", "-f", "bad.yaml", code=1)

    def test_are_those_of_the_page(self):
        page = sections("json.md")
        types = {name.strip("`"): Table(text) for name, text in page.items() if name.startswith("`")}
        common = Table(page["Events of `apply --json` and `destroy --json`"])
        resource = Table(page["A resource"])
        stop = {path for table in types.values() for path, kind in table.types.items() if kind is dict}
        self.provoke()
        self.assertEqual({e["type"] for e in self.seen}, set(types))
        self.assertEqual(self.seen[0]["type"], "version")
        self.assertIn(f"`{self.seen[0]['ui']}`", page["`version`"])
        for name, table in types.items():
            events = [[(p, v) for p, v in flat(e, stop) if p not in common.types]
                      for e in self.seen if e["type"] == name]
            self.check(events, table, name)
        self.check([[(k, e.get(k)) for k in common.types if k in e] for e in self.seen], common, "every event")
        resources = [v for e in self.seen for p, v in flat(e, stop) if p.endswith("resource")]
        self.check([flat(r, set()) for r in resources], resource, "a resource")

    def test_words_of_actions_and_reasons_are_those_of_the_page(self):
        page = sections("json.md")
        self.provoke()
        for e in self.seen:
            for part in ("change", "hook"):
                for key in ("action", "reason"):
                    word = e.get(part, {}).get(key)
                    if word is not None:
                        name = "`apply_start`" if part == "hook" else f"`{e['type']}`"
                        self.assertIn(f"`{word}`", page[name])


class OtherDocuments(Documented):
    def test_have_the_keys_of_the_page(self):
        self.hurry()
        self.demo(VSWITCH)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        args = {"get … -o json": ["get", "all"]}
        rows = re.findall(r"^\| `([^`]+json)` \| ([^|]+) \|", sections("json.md")["Documents of other commands"],
                          re.MULTILINE)
        self.assertGreater(len(rows), 5)
        for command, keys in rows:
            with self.subTest(command):
                words = args.get(command, command.split()[:1])
                flags = ["-f", "net.yaml", "--json"] if command.endswith("--json") else ["-o", "json"]
                told = self.json_of(*words, *flags)
                self.assertEqual(set(told), set(re.findall(r"`(\w+)`", keys)) | {"format_version"})
                self.assertEqual(told["format_version"], "1.0")


class SavedPlan(Documented):
    def test_has_the_keys_of_the_page(self):
        self.hurry()
        self.demo(VSWITCH)
        self.headgate("plan", "-f", "net.yaml", "--out", "p.json", "--target", "Vpc/main", "--var", "A=b")
        saved = json.loads((self.folder / "p.json").read_text())
        table = Table((support.SOURCE / "docs" / "saved-plan.md").read_text())
        self.check([flat(saved, {"variables"})], table, "saved plan")
        self.assertEqual((self.folder / "p.json").stat().st_mode & 0o777, 0o600)
        self.assertEqual((saved["format"], saved["format_version"]), ("headgate-plan", "1.0"))


if __name__ == "__main__":
    support.main()
