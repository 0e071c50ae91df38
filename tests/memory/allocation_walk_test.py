"""Each allocation of a plan and of an apply fails once, and from there on: the program says so and ends with an exit
code of its own, the state is whole, and the next apply ends where an undisturbed one ends.

The first allocations one by one, then samples; HEADGATE_ALLOC_STEP=1 walks them all, HEADGATE_ALLOC_AT=K runs one.
"""
import collections
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import support

HAIRPIN = support.MANIFESTS / "nat-hairpin"
SHIM = os.environ["HEADGATE_ALLOC_FAULT"]
FIRST = 250
STEP = int(os.environ.get("HEADGATE_ALLOC_STEP", "97"))
ONLY = os.environ.get("HEADGATE_ALLOC_AT")
CODES = {0, 1, 3, 4, 5, 6, 7, 8}
FOREVER = 1 << 40


class Walk(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.template = self.folder

    def world(self, template):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="headgate-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(template / ".headgate", folder / ".headgate")
        return folder

    def run_in(self, folder, *args, **env):
        return subprocess.run([support.PROGRAM, *map(str, args)], cwd=folder, env={**self.env, **env},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=support.PATIENCE_S)

    def count(self, template, *args):
        folder = self.world(template)
        done = self.run_in(folder, *args, LD_PRELOAD=SHIM, HEADGATE_COUNT=folder / "count")
        self.assertEqual(done.returncode, 0, done.stderr)
        return int((folder / "count").read_text())

    def shape(self, folder):
        objects = subprocess.run([support.PROGRAM, "mock", "list"], cwd=folder, env=self.env, capture_output=True,
                                 check=True).stdout.decode().splitlines()
        return collections.Counter(line.split()[0] for line in objects)

    def points(self, n):
        if ONLY:
            return [int(ONLY)]
        return [*range(1, min(FIRST, n) + 1), *range(FIRST + 1, n + 1, STEP)]

    def one(self, template, k, more, *args):
        """What is wrong with an end, or None."""
        folder = self.world(template)
        try:
            done = self.run_in(folder, *args, LD_PRELOAD=SHIM, HEADGATE_FAIL_ALLOC=str(k), HEADGATE_FAIL_MORE=str(more))
            said = f"{args[0]}, allocation {k} ({'once' if more == 1 else 'and all after it'}): "
            tail = done.stderr[-600:].decode(errors="replace")
            if done.returncode not in CODES:
                return f"{said}ended with {done.returncode}\n{tail}"
            if done.returncode != 0 and not done.stderr:
                return f"{said}ended with {done.returncode} and said nothing"
            if args[0] == "apply":
                return self.what_is_left(folder, said)
            return None
        finally:
            shutil.rmtree(folder)

    def what_is_left(self, folder, said):
        if (folder / ".headgate" / "state.db").exists():
            verified = self.run_in(folder, "state", "verify")
            if verified.returncode != 0:
                return f"{said}state verify: {verified.stdout.decode()}{verified.stderr.decode()}"
        applied = self.run_in(folder, "apply", "-f", HAIRPIN, "--auto-approve")
        if applied.returncode != 0:
            return f"{said}the next apply ended with {applied.returncode}: {applied.stderr[-600:].decode()}"
        if self.shape(folder) != self.wanted:
            return f"{said}afterwards there is {self.shape(folder)}, not {self.wanted}"
        return None

    def walk(self, template, *args):
        n = self.count(template, *args)
        self.assertGreater(n, 500)
        jobs = [(k, more) for k in self.points(n) for more in (1, FOREVER)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            wrong = [w for w in pool.map(lambda job: self.one(template, *job, *args), jobs) if w]
        print(f"{args[0]}: {n} allocations, {len(jobs)} runs", flush=True)
        print("\n".join(wrong)[:60000])
        self.assertEqual(wrong[:10], [], f"{len(wrong)} of {len(jobs)}")

    def test_plan(self):
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve")
        self.walk(self.template, "plan", "-f", HAIRPIN)

    def test_apply(self):
        undisturbed = self.world(self.template)
        self.assertEqual(self.run_in(undisturbed, "apply", "-f", HAIRPIN, "--auto-approve").returncode, 0)
        self.wanted = self.shape(undisturbed)
        self.walk(self.template, "apply", "-f", HAIRPIN, "--auto-approve")


if __name__ == "__main__":
    unittest.main()
