# SPDX-License-Identifier: MPL-2.0
"""drill.py has the real processes of a drill: a broker and its ends in one folder, started, killed
and awaited by what they say. It never sleeps, and kills only what it started, by its id.
"""
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

READY_MAX_S = 30


class Failed(Exception):
    """The drill failed; the text says how, for people."""


def build_folders():
    """Folders that may hold the programs: the one that ctest names, then the usual ones."""
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    named = [os.environ[name] for name in ("BATON_BUILD_DIR",) if name in os.environ]
    return named + [os.path.join(root, "build", "release"), os.path.join(root, "build")]


def find_build(folder=None, needs=()):
    """The build folder that has all of [needs], such as "bin/batond"; ends the program if none."""
    for one in [folder] if folder else build_folders():
        if all(os.access(os.path.join(one, need), os.X_OK) for need in needs):
            return one
    sys.exit(f"no build folder has {' and '.join(needs)}; build with: cmake --preset release"
             " && cmake --build --preset release (or name one with --build)")


def free_port():
    """Below the range from which the system gives ports to connections."""
    for _ in range(100):
        port = 20000 + int.from_bytes(os.urandom(2), "little") % 12000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port between 20000 and 32000")


class Process:
    """One program that may be killed and started again. What it writes goes to a log; numbers or
    words it writes to the descriptor {fd} of its command line come back from lines()."""

    def __init__(self, name, command, folder, stdin=subprocess.DEVNULL):
        self.name, self.command, self.stdin = name, command, stdin
        self.log = os.path.join(folder, name + ".log")
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        self.rest, self.kept = b"", []
        self.child = None
        self.starts = 0
        self.heard_starts = 0  # the start after which it last said something

    def start(self):
        command = [one.replace("{fd}", str(self.write_fd)) for one in self.command]
        self.starts += 1
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(command, stdin=self.stdin, stdout=log, stderr=log,
                                          pass_fds=[self.write_fd])

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        # What the dead one said is not the word of the next.
        self.kept, self.rest = self.lines(), b""

    def stop(self, timeout_s):
        """Asks it to end by itself; its exit code, or None if it does not."""
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def lines(self):
        """What it has said since the last call, in whole lines. A kill may tear a line in two."""
        try:
            while data := os.read(self.read_fd, 65536):
                self.rest += data
        except BlockingIOError:
            pass
        whole, _, self.rest = self.rest.rpartition(b"\n")
        said = whole.decode("ascii", "replace").split("\n") if whole else []
        if said:
            self.heard_starts = self.starts
        said, self.kept = self.kept + said, []
        return said

    def await_line(self, timeout_s=READY_MAX_S):
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if lines := self.lines():
                return lines[-1]
            if self.child.poll() is not None:
                raise Failed(f"{self.name} ended with code {self.child.returncode}")
            select.select([self.read_fd], [], [], 0.1)
        raise Failed(f"{self.name} said nothing for {timeout_s} s")

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def tail(self, count=15):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-count:])

    def faults(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return re.findall(r"FAULT (lost|doubled)", log.read())


class Place:
    """A folder with a store and the processes of one drill; removed at the end unless kept."""

    def __init__(self, build, keep=False):
        self.build, self.keep = build, keep
        self.folder = tempfile.mkdtemp(prefix="baton-drill-")
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.store = os.path.join(self.folder, "store")
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for one in self.processes:
            if one.is_running():
                one.kill()
        if self.keep or kind not in (None, SystemExit):
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder)

    def program(self, name):
        return os.path.join(self.build, name)

    def add(self, name, command, **options):
        process = Process(name, command, self.folder, **options)
        self.processes.append(process)
        return process

    def add_broker(self, *options):
        """A broker over a fresh store, not started yet."""
        batond = self.program("bin/batond")
        subprocess.run([batond, "--format", self.store], check=True, capture_output=True)
        return self.add("broker", [batond, "--store", self.store, "--endpoint", self.endpoint,
                                   "--ready-fd", "{fd}", *options])


def read_ledger(folder, name):
    """What the ledgers of the ledger client [name] tell of its last session: (lost, doubled)."""
    base = os.path.join(folder, name)
    with open(base + ".consumed", encoding="ascii") as file:
        seen = [int(line) for line in file]
    with open(base + ".acked", encoding="ascii") as file:
        acked = [[int(word) for word in line.split()] for line in file]
    # The consumed ledger is of the last generation.
    sent = max((line[2] for line in acked if line[0] == acked[-1][0]), default=0)
    due = set(range(1, sent + 1))
    return len(due - set(seen)), len(seen) - len(set(seen) & due)


def describe(process):
    """One line that says what a process that stands still is doing."""
    if not process.is_running():
        code = None if process.child is None else process.child.returncode
        return f"{process.name}: not running (code {code})"
    pid = process.child.pid
    facts = {"wchan": "?", "stat": "?"}
    for name in facts:
        try:
            with open(f"/proc/{pid}/{name}", encoding="ascii", errors="replace") as file:
                facts[name] = file.read()
        except OSError:
            pass
    fields = facts["stat"].rpartition(")")[2].split()
    state, ticks = (fields[0], int(fields[11]) + int(fields[12])) if len(fields) > 12 else ("?", 0)
    return (f"{process.name}: pid {pid}, start {process.starts}, state {state},"
            f" {ticks * 10} ms of processor, waits in {facts['wchan'] or '-'}")
