"""A disk that is full: one error, no contradiction, nothing lost."""
import json
import subprocess
import unittest

import support
from support import STACK, VPC

N_VSWITCHES = 60
OWN_MOUNTS = ["unshare", "--map-root-user", "--mount"]

# The state lies on a file system of 8 MiB, of which a filler leaves some.
SCRIPT = """
mkdir disk && mount -t tmpfs -o size=8m none disk || exit 99
head -c "$1" /dev/zero >disk/filler
"$2" apply -f net.yaml --state disk/state.db --auto-approve >first.out 2>first.err
echo $? >first.code
rm disk/filler
"$2" state list --state disk/state.db | grep -c / >recorded
"$2" mock list vswitch --json >made
"$2" apply -f net.yaml --state disk/state.db --auto-approve >second.out 2>second.err
echo $? >second.code
"$2" plan -f net.yaml --state disk/state.db --detailed-exitcode >plan.out
echo $? >plan.code
"""


def may_mount():
    return subprocess.run([*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode == 0


@unittest.skipUnless(may_mount(), "a file system of one's own cannot be mounted here")
class FullDisk(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        vswitches = (f"---\napiVersion: headgate/v1\nkind: VSwitch\nmetadata: {{name: w{i}}}\n"
                     f"spec: {{vpc: main, zone: cn-shanghai-b, cidrBlock: 10.0.{i}.0/24}}\n" for i in range(N_VSWITCHES))
        self.write("net.yaml", STACK + VPC + "".join(vswitches))

    def read(self, name):
        return (self.folder / name).read_text().strip()

    def apply_with(self, free_kib):
        """Applies with so much room, then with enough; checks the second one. Returns what the first one said."""
        filler = (8192 - free_kib) * 1024
        subprocess.run([*OWN_MOUNTS, "sh", "-c", SCRIPT, "sh", str(filler), support.PROGRAM], cwd=self.folder,
                       env=self.env, check=True, timeout=support.PATIENCE_S)
        out, err = self.read("first.out"), self.read("first.err")
        self.assertEqual(self.read("first.code"), "1", out + err)
        self.assertEqual(err.count("Error:"), 1, err)
        self.assertIn("disk full, the file is as it was before", err)
        self.assertEqual(self.read("second.code"), "0", self.read("second.err"))
        self.assertEqual(self.read("plan.code"), "0", self.read("plan.out"))
        self.assertEqual(len(self.objects("vpc")), 1)
        self.assertEqual(len(self.objects("vswitch")), N_VSWITCHES)
        return out, err

    def test_from_the_beginning(self):
        out, err = self.apply_with(8)
        self.assertNotIn("Resources:", out)

    def test_in_the_middle(self):
        out, err = self.apply_with(300)
        self.assertIn("Apply failed. Resources: ", out)
        self.assertIn("not tried", out)
        self.assertIn("Error: the state could not be written: disk/state.db: disk full", err)
        self.assertIn("cannot write to it", err)
        unrecorded = "Some of what was done could not be recorded. Nothing is lost" in out
        self.assertNotEqual(unrecorded, "What was done is recorded" in out, out)
        made = len(json.loads(self.read("made"))) + 1  # and the VPC
        self.assertTrue(unrecorded or made == int(self.read("recorded")), out)


if __name__ == "__main__":
    support.main()
