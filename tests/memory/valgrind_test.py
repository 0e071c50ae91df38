"""valgrind finds nothing in the life of nat-hairpin: no invalid access, no use of what was not set, no leak."""
import subprocess
import unittest

import support

HAIRPIN = support.MANIFESTS / "nat-hairpin"
FOUND = 99


class Valgrind(support.Case):
    def watched(self, *args, code=0):
        done = subprocess.run(["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible",
                               "--errors-for-leak-kinds=definite,indirect,possible", f"--error-exitcode={FOUND}",
                               "--track-fds=no", support.PROGRAM, *map(str, args)],
                              cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        self.assertEqual(done.returncode, code, done.stderr.decode()[-4000:])

    def test_the_life_of_nat_hairpin(self):
        self.hurry()
        self.watched("validate", "-f", HAIRPIN)
        self.watched("plan", "-f", HAIRPIN, "--detailed-exitcode", code=2)
        self.watched("apply", "-f", HAIRPIN, "--auto-approve")
        self.watched("plan", "-f", HAIRPIN, "--json")
        self.watched("drift", "-f", HAIRPIN, "--unmanaged")
        self.watched("get", "all", "-o", "json")
        self.watched("state", "rebuild", "-f", HAIRPIN)
        self.watched("destroy", "-f", HAIRPIN, "--auto-approve")

    def test_what_is_wrong(self):
        (self.folder / "bad.yaml").write_text("kind: Vpc\nspec: {cidrBlok: [1, 2}\n")
        self.watched("plan", "-f", "bad.yaml", code=1)


if __name__ == "__main__":
    unittest.main()
