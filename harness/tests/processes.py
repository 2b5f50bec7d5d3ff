"""Templates about processes: what a run leaves running, however it ends."""

from plait_harness import FlowTest, steps


class LeftDaemons(FlowTest):
    """A daemon of a task ends with its run, also where the run's process and its keeper are killed."""

    PRIORITY = 136
    SHOULD_FAIL = -9
    LEAVES = ["daemon"]
    HEADER = '''
import os
import signal
import time


def find_parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def start_daemon():
    """Start what outlives its parent, in a session of its own, and says who it is."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open("daemon.draft", "w") as file:
                file.write(str(os.getpid()))
            os.rename("daemon.draft", "daemon")
            while True:
                signal.pause()
        os._exit(0)
    os.wait()


def kill_run_and_keeper():
    """Kill both at one instant: neither sees the other end."""
    keeper = os.getppid()
    run = find_parent(find_parent(keeper))
    deadline = time.monotonic() + 20
    while not os.path.exists("daemon"):
        assert time.monotonic() < deadline, "there is no daemon"
        time.sleep(0.005)
    for pid in (run, keeper):
        os.kill(pid, signal.SIGSTOP)
    for pid in (run, keeper):
        os.kill(pid, signal.SIGKILL)
    time.sleep(60)
'''
    ONLY_GRAPHS = {"start-end": "it is about processes, whichever tasks they are of"}

    @steps(0, ["start"], required=True)
    def step_start(self):
        start_daemon()
        kill_run_and_keeper()

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        import time

        def is_alive(pid):
            # One that has ended and that nobody has asked after yet is a zombie.
            try:
                with open(f"/proc/{pid}/stat") as file:
                    return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
            except (FileNotFoundError, ProcessLookupError):
                return False

        with open(f"{checker.run.folder}/daemon") as file:
            pid = int(file.read())
        deadline = time.monotonic() + 20
        while is_alive(pid):
            assert time.monotonic() < deadline, "a daemon outlives its run"
            time.sleep(0.005)
        run = checker.get_run()
        if run is not None:
            assert_equals("lost", run.status)
