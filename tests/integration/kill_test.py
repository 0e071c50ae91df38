"""kill -9 at any moment of an apply: the next one ends where an undisturbed one ends.

At random moments: HEADGATE_KILL_SEED=N runs one seed again. At every boundary of every call: HEADGATE_KILL_AT, in
programs that have fault points (reconciler/loop/fault.h).
"""
import collections
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

import support

HAIRPIN = support.MANIFESTS / "nat-hairpin"
N_KILLS = 200
KILLS_IN_A_ROW = 6
HAS_FAULT_POINTS = os.environ.get("HEADGATE_FAULT_POINTS") == "ON"


class Kill(support.Case):
    def setUp(self):
        super().setUp()
        self.hurry()
        self.template = self.folder
        self.new_world()
        started = time.monotonic()
        self.apply()
        self.duration = time.monotonic() - started
        self.wanted = self.shape()
        self.addresses = sorted(self.records())

    def new_world(self):
        """A cloud without anything in it, and no state."""
        if self.folder != self.template:
            shutil.rmtree(self.folder)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="headgate-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        shutil.copytree(self.template / ".headgate", self.folder / ".headgate")

    def apply(self):
        self.headgate("apply", "-f", HAIRPIN, "--auto-approve")

    def start_apply(self, **env):
        return subprocess.Popen([support.PROGRAM, "apply", "-f", HAIRPIN, "--auto-approve"], cwd=self.folder,
                                env={**self.env, **env}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def shape(self):
        """All objects of the cloud but for what differs from run to run: ids, addresses given by the cloud."""
        self.seen = self.json_of("mock", "list", "--json")
        return collections.Counter((o["type"], o["name"], o["status"], o.get("tags", {}).get("headgate:address"))
                                   for o in self.seen)

    def query(self, sql):
        db = sqlite3.connect(self.folder / ".headgate" / "state.db")
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def records(self):
        return {f"{kind}/{name}": id for kind, name, id in self.query("SELECT kind, name, id FROM records")}

    def expect_whole(self):
        """One more apply ends as an undisturbed one."""
        self.apply()
        self.headgate("plan", "-f", HAIRPIN, "--detailed-exitcode", code=0)
        self.assertEqual(self.shape(), self.wanted)
        records = self.records()
        self.assertEqual(sorted(records), self.addresses)
        self.assertEqual(self.query("SELECT * FROM intents"), [])
        self.assertEqual(self.query("SELECT * FROM locks"), [])
        ids = {o["id"] for o in self.seen}
        by_id = [id for address, id in records.items() if "Association/" not in address]
        self.assertEqual([id for id in by_id if id not in ids], [])

    def kill_at_random(self, seed):
        """A few kills in a row, then what is to be expected. Returns how many there were."""
        rng = random.Random(seed)
        n_kills = 0
        self.new_world()
        for _ in range(KILLS_IN_A_ROW):
            process = self.start_apply()
            try:
                process.wait(rng.uniform(0, self.duration))
            except subprocess.TimeoutExpired:
                process.kill()
                n_kills += process.wait() == -signal.SIGKILL
        self.expect_whole()
        return n_kills

    def test_at_random_moments(self):
        given = os.environ.get("HEADGATE_KILL_SEED")
        n_kills = 0
        for seed in [int(given)] if given else range(1, N_KILLS):
            with self.subTest(HEADGATE_KILL_SEED=seed):
                n_kills += self.kill_at_random(seed)
            if n_kills >= N_KILLS:
                break
        print(f"{n_kills} kills, the last seed is {seed}")
        self.assertTrue(given or n_kills >= N_KILLS, "hardly any kill hits")

    @unittest.skipUnless(HAS_FAULT_POINTS, "a program without fault points")
    def test_at_every_boundary_of_every_call(self):
        n_calls = len(self.changing_calls())
        n = 0
        while True:
            n += 1
            self.new_world()
            code = self.start_apply(HEADGATE_KILL_AT=str(n)).wait()
            if code == 0:
                break
            with self.subTest(HEADGATE_KILL_AT=n):
                self.assertEqual(code, -signal.SIGKILL)
                self.expect_whole()
        print(f"killed at {n - 1} boundaries of {n_calls} calls")
        self.assertGreaterEqual(n - 1, 2 * n_calls)

    @unittest.skipIf(HAS_FAULT_POINTS, "a program with fault points")
    def test_a_release_has_no_fault_points(self):
        self.new_world()
        self.assertEqual(self.start_apply(HEADGATE_KILL_AT="1").wait(), 0)


if __name__ == "__main__":
    support.main()
