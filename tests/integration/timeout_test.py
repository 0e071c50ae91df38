"""What takes too long. The engine waits for 20 seconds at least, so this is a test of its own."""
import support


class Timeout(support.Case):
    def test_8_is_a_time_out_and_the_next_apply_goes_on(self):
        self.demo()
        self.headgate("mock", "latency", "--speed", 30, "--latency", 0)
        self.headgate("mock", "fail-next", "CreateVpc", "TaskConflict", "--count", 1000000)
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve", code=8)
        self.assertRegex(out, r"Vpc/main: Creation failed after \d+s: gave up after \d+ tries: TaskConflict")
        self.assertIn("Apply failed. Resources: 0 added, 0 changed, 0 destroyed, 1 failed.", out)
        self.headgate("mock", "reset")  # forgets the faults, too
        self.hurry()
        out = self.headgate("apply", "-f", "net.yaml", "--auto-approve")
        self.assertIn("1 added, 0 changed, 0 destroyed", out)
        self.assertEqual(len(self.objects("vpc")), 1)


if __name__ == "__main__":
    support.main()
