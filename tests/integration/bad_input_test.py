"""What is wrong with manifests is told with its position, all at once, and nothing is touched."""
import json

import support
from support import STACK, VPC, VSWITCH

# name: (manifest, position of the error, what the message says)
TABLE = {
    "a misspelt field": (VPC + "  cidrBlok: 10.0.0.0/8\n", "8:3", "did you mean `cidrBlock`?"),
    "an unknown kind": (VPC.replace("Vpc", "Vpcs"), "3:7", "did you mean `Vpc`?"),
    "a block with host bits": (VPC.replace("10.0.0.0/8", "10.0.0.1/8"), "7:14", "10.0.0.0/8"),
    "a mask too long": (VPC.replace("10.0.0.0/8", "10.0.0.0/33"), "7:14", "/33"),
    "a vSwitch outside its VPC": (VPC + VSWITCH.replace("10.0.1.0", "192.168.1.0"), "16:14", "not inside"),
    "a reference to nothing": (VPC + VSWITCH.replace("vpc: main", "vpc: man"), "14:8", "did you mean `main`?"),
    "a missing field": (VPC + VSWITCH.replace("  zone: cn-shanghai-b\n", ""), "14:3", "`zone` is missing"),
    "the same address twice": (VPC + VPC, "12:9", "Vpc/main"),
    "a field twice": (VPC + "  cidrBlock: 10.0.0.0/8\n", "8:3", "cidrBlock"),
    "no apiVersion": (VPC.replace("apiVersion: headgate/v1\n", ""), "2:1", "apiVersion"),
    "an unknown management": (VPC + "lifecycle: {management: obserf}\n", "8:25", "observe"),
    "an undeclared variable": (VPC.replace("10.0.0.0/8", "${BLOCK}"), "7:14", "BLOCK"),
    "broken YAML": ("a: [1, 2\nb: }\n", "2:2", "not valid YAML"),
    "a tab": (VPC + "\tcidr: 1\n", "8:1", ""),
    "nothing at all": ("", None, "no manifest"),
    "only comments": ("# nothing\n", None, "no manifest"),
    "no YAML": (b"\x00\x01\x02", None, ""),
    "no UTF-8": (VPC.encode() + b"# \xff\xfe\n", None, "UTF-8"),
}


class BadInput(support.Case):
    def assert_untouched(self):
        self.assertEqual(list(self.folder.glob("**/*.db*")), [])

    def test_is_told_with_its_position_by_every_command(self):
        for name, (manifest, position, words) in TABLE.items():
            with self.subTest(name):
                self.write("bad.yaml", manifest)
                for command in (["validate"], ["plan"], ["apply", "--auto-approve"]):
                    self.headgate(*command, "-f", "bad.yaml", code=1)
                    self.assertIn(f"bad.yaml:{position}: error: " if position else "error: ", self.err)
                    self.assertIn(words, self.err)
                self.headgate("diff", "-f", "bad.yaml", code=2)
                self.assert_untouched()

    def test_is_told_as_json(self):
        for name, (manifest, position, _) in TABLE.items():
            with self.subTest(name):
                self.write("bad.yaml", manifest)
                told = json.loads(self.headgate("validate", "-f", "bad.yaml", "--json", code=1))
                self.assertIs(told["valid"], False)
                self.assertGreater(told["error_count"], 0)
                if position:
                    start = told["diagnostics"][0]["range"]["start"]
                    self.assertEqual(f"{start['line']}:{start['column']}", position)

    def test_all_of_it_is_told_at_once(self):
        self.write("bad.yaml", VPC.replace("cidrBlock", "cidrBlok") + VSWITCH.replace("zone:", "zoen:"))
        self.headgate("validate", "-f", "bad.yaml", code=1)
        self.assertIn("cidrBlok", self.err)
        self.assertIn("zoen", self.err)

    def test_the_line_and_a_caret_are_shown(self):
        self.write("bad.yaml", VPC + "  cidrBlok: 10.0.0.0/8\n")
        self.headgate("validate", "-f", "bad.yaml", code=1)
        self.assertIn("      cidrBlok: 10.0.0.0/8\n      ^", self.err)

    def test_files_that_cannot_be_read(self):
        (self.folder / "empty").mkdir()
        for path in ("nothing.yaml", "empty", "/dev/null"):
            with self.subTest(path):
                self.headgate("validate", "-f", path, code=1)
                self.assertIn(path, self.err)
                self.headgate("apply", "-f", path, "--auto-approve", code=1)
        self.assert_untouched()

    def test_no_manifests_at_all(self):
        for command in ("validate", "plan", "apply", "diff", "drift", "graph", "destroy"):
            self.headgate(command, code=2 if command == "diff" else 1)
            self.assertIn("-f", self.err)
        self.assert_untouched()

    def test_bad_values_of_flags(self):
        self.demo()
        for flags in (["--parallelism", "0"], ["--parallelism", "many"], ["--lock-timeout", "30"], ["--var", "X"],
                      ["--target", "main"], ["--refresh=maybe"], ["--out"], ["--out", ""], ["-f"]):
            with self.subTest(flags):
                self.headgate("plan", "-f", "net.yaml", *flags, code=1)
                self.assertIn("--", self.err)
        self.headgate("get", "all", "-o", "xml", code=1)
        self.assertIn("table, wide, name, json, yaml", self.err)
        self.assert_untouched()

    def test_control_characters_never_reach_the_terminal(self):
        evil = "\x1b]0;owned\x07\x1b[2J"
        self.write("bad.yaml", VPC.replace("Vpc", f'"V{json.dumps(evil)[1:-1]}pc"') + f'  "x{json.dumps(evil)[1:-1]}": 1\n')
        self.write(f"{evil}.yaml", VPC + "  nope: 1\n")
        for args in (["validate", "-f", "bad.yaml"], ["validate", "-f", "."], [evil], ["plan", f"--{evil}"],
                     ["plan", "-f", evil], ["plan", "-f", "bad.yaml", "--target", evil], ["get", evil],
                     ["describe", f"Vpc/{evil}"], ["describe", evil], ["explain", evil], ["mock", "list", evil],
                     ["mock", "call", evil, evil], ["import", f"Vpc/{evil}", evil], ["help", evil],
                     ["get", "all", "--stack", evil], ["state", evil], ["unlock", "--state", evil],
                     ["mock", "set", evil, evil], ["plan", "-f", "bad.yaml", "--parallelism", evil],
                     ["state", "rm", evil, "--state", evil], ["mock", "option", evil, evil]):
            with self.subTest(args):
                done = self.run_program(*args)
                self.assertNotIn(b"\x1b", done.stdout + done.stderr)
                self.assertNotIn(b"\x07", done.stdout + done.stderr)
                self.assertNotEqual(done.returncode, 0)

    def test_control_characters_of_the_cloud_neither(self):
        evil = "\x1b[2Jowned"
        self.hurry()
        self.demo(VSWITCH)
        self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.headgate("mock", "set", self.state_ids()["VSwitch/web"], f"Description={evil}")
        self.demo(VSWITCH + "  description: the web servers\n")
        for args in (["plan"], ["drift"], ["diff"], ["plan", "--json"], ["apply", "--auto-approve"]):
            done = self.run_program(*args, "-f", "net.yaml")
            self.assertNotIn(b"\x1b", done.stdout + done.stderr, args)
        self.assertNotIn("\x1b", self.headgate("mock", "list"))


if __name__ == "__main__":
    support.main()
