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


# A disk of 8 MiB that is full after some more KiB each time: $1 is the program, $2 the manifests, then the KiB.
EVERY_SIZE = """
program=$1 manifests=$2; shift 2
mkdir disk && mount -t tmpfs -o size=8m none disk || exit 99
mkdir .headgate
for free; do
    rm -rf disk/*
    cp mock.db .headgate/mock.db
    head -c $(((8192 - free) * 1024)) /dev/zero >disk/filler
    "$program" apply -f "$manifests" --state disk/state.db --auto-approve >$free.out 2>$free.err
    echo $? >$free.first
    rm disk/filler
    "$program" apply -f "$manifests" --state disk/state.db --auto-approve >$free.out2 2>&1
    "$program" plan -f "$manifests" --state disk/state.db --detailed-exitcode >$free.plan 2>&1
    echo $? >$free.code
    "$program" mock list --json >$free.objects
    "$program" state verify --state disk/state.db >$free.verify 2>&1
    rm .headgate/mock.db*
done
"""

READ_ONLY = """
mount --bind state state && mount -o remount,bind,ro state || exit 99
"$1" apply -f "$2" --state state/state.db --auto-approve >apply.out 2>apply.err
echo $? >apply.code
"$1" plan -f "$2" --state state/state.db --detailed-exitcode >plan.out 2>&1
echo $? >plan.code
"""


@unittest.skipUnless(may_mount(), "a file system of one's own cannot be mounted here")
class Hairpin(support.Case):
    MANIFESTS = support.MANIFESTS / "nat-hairpin"

    def in_own_mounts(self, script, *args):
        subprocess.run([*OWN_MOUNTS, "sh", "-c", script, "sh", support.PROGRAM, self.MANIFESTS, *map(str, args)],
                       cwd=self.folder, env=self.env, check=True, timeout=2 * support.PATIENCE_S)

    def read(self, name):
        return (self.folder / name).read_text().strip()

    def test_a_disk_that_is_full_at_any_moment(self):
        self.hurry()
        self.call("Vpc", "DescribeVpcs", RegionId="cn-shanghai")
        (self.folder / ".headgate" / "mock.db").rename(self.folder / "mock.db")
        (self.folder / ".headgate").rmdir()
        sizes = range(4, 1204, 30)
        self.in_own_mounts(EVERY_SIZE, *sizes)
        codes = [self.read(f"{free}.first") for free in sizes]
        self.assertEqual(set(codes), {"0", "1"}, codes)
        n_objects = {len(json.loads(self.read(f"{free}.objects"))) for free in sizes}
        self.assertEqual(len(n_objects), 1)
        for free, code in zip(sizes, codes):
            with self.subTest(free):
                err = self.read(f"{free}.err")
                self.assertEqual(err.count("Error:"), int(code), err)
                if code == "1":
                    self.assertIn("disk full", err)
                self.assertEqual(self.read(f"{free}.code"), "0", self.read(f"{free}.out2") + self.read(f"{free}.plan"))
                self.assertRegex(self.read(f"{free}.verify"), "^ok: .* 0 open intents")

    def test_a_folder_that_is_read_only(self):
        self.hurry()
        state = self.folder / "state"
        state.mkdir(0o700)
        for exists in False, True:
            with self.subTest(state=exists):
                if exists:
                    self.headgate("apply", "-f", self.MANIFESTS, "--state", "state/state.db", "--auto-approve")
                calls = self.changing_calls()
                self.in_own_mounts(READ_ONLY)
                self.assertEqual(self.read("apply.code"), "1")
                self.assertRegex(self.read("apply.err"), "(?i)state/state.db: .*read-only")
                self.assertEqual(self.changing_calls(), calls)
                self.assertEqual(self.read("plan.code"), "0" if exists else "2", self.read("plan.out"))


if __name__ == "__main__":
    support.main()
