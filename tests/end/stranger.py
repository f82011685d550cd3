# SPDX-License-Identifier: MPL-2.0
"""stranger.py has one end that nobody would write, made of bytes (zmtp.py, frames.py), and the
ground it comes to: a real broker with a good client and a good server, which are to lose nothing
and to be answered all along, whatever the stranger does.
"""
import collections
import json
import os
import re
import select
import subprocess
import threading
import time

from drill import Failed, read_ledger
from frames import NUMBERS, frame, read_frame
from zmtp import WAIT_MAX_S, Wire

# How long the good pair may go without an answer, where nothing says otherwise. It has a machine
# of two cores, sanitizers and a disk between itself and its usual millisecond.
PAUSE_MAX_S = 5
BROKER = "bin/batond"
PROGRAMS = [BROKER, "bin/baton", "tests/ledger_client", "tests/ledger_server"]


def check(is_so, text):
    if not is_so:
        raise Failed(text)


def new_id():
    return tuple(1 + int.from_bytes(os.urandom(7), "little") for _ in range(2))


def check_refused(got, refusal, text=None, **facts):
    wanted = {"refusal": NUMBERS["REFUSAL_" + refusal]}
    wanted |= {} if text is None else {"text": text.encode()}
    wanted |= {name: NUMBERS.get(value, value) for name, value in facts.items()}
    told = {name: got[name] for name in wanted}
    check(told == wanted, f"refused as {told}, wanted {wanted}")
    return got


class Stranger:
    """One path. Nothing is said on it before hello()."""

    def __init__(self, endpoint, instance=None):
        self.wire = Wire(endpoint)
        self.instance = instance or new_id()
        self.epoch = 0

    def send(self, data):
        self.wire.send(data)

    def say(self, kind, fields=None, bulk=b"", **changes):
        self.send(frame(kind, fields, bulk, **({"epoch": self.epoch} | changes)))

    def hear(self, *kinds, timeout_s=WAIT_MAX_S):
        """The next message of one of [kinds], or of any; others are passed over."""
        while True:
            kind, epoch, fields, _ = read_frame(self.wire.receive(timeout_s))
            if kind == "WELCOME":
                self.epoch = epoch
            if not kinds or kind in kinds:
                return fields

    def hello(self, role="CLIENT", name=b""):
        """Until it is welcome: a link that said good-bye on another path may still be counted."""
        fields = {"role": "END_" + role, "instance": self.instance}
        end = time.monotonic() + WAIT_MAX_S
        while True:
            self.say("HELLO", fields | ({"name": name} if name else {}))
            if "refusal" not in self.hear("WELCOME", "REFUSED"):
                return self
            check(time.monotonic() < end, "HELLO is refused")

    def expect(self, refusal, text=None, **facts):
        """The next refusal is this one, with exactly these facts."""
        return check_refused(self.hear("REFUSED"), refusal, text, **facts)

    def fill(self, opened, body, most):
        """Commits one [body] after another, at most [most]: (version, the first refusal)."""
        for version in range(most):
            commit, bulk = self.commit(opened, version + 1, [body], expect_version=version)
            self.say("COMMIT", commit, bulk)
            answer = self.hear("COMMITTED", "REFUSED")
            if "refusal" in answer:
                return version, answer
        raise Failed(f"{most} bodies of {len(body)} bytes are taken")

    def open(self, session, requirement=b"", **fields):
        """Opens a session of its own; returns the fields of OPENED."""
        self.say("OPEN", {"ref": 1, "intent": "OPEN_OR_CREATE", "kind": "SESSION_BOUND",
                          "session": session, "requirement": requirement,
                          "credit_count": 1 << 20, "credit_bytes": 1 << 40} | fields)
        opened = self.hear("OPENED")
        self.hear("RESUMED")
        return opened

    def commit(self, opened, first_seq=0, bodies=(), restart_data=b"", **fields):
        """Fields and bulk of a COMMIT with a request for each of [bodies]."""
        part = {"session": opened["session"], "requests_count": len(bodies)}
        commit = {"actor": opened["actor"], "incarnation": opened["incarnation"],
                  "restart_data_size": len(restart_data), "parts": [part],
                  "requests": [{"seq": first_seq + i, "body_size": len(body)}
                               for i, body in enumerate(bodies)]}
        return commit | fields, restart_data + b"".join(bodies)

    def close_session(self, opened, version):
        self.say("CLOSE", {"ref": 2, "session": opened["session"], "actor": opened["actor"],
                           "incarnation": opened["incarnation"], "expect_version": version})
        self.hear("CLOSED")

    def leave(self):
        self.say("GOODBYE")
        self.wire.close()


class Watch(threading.Thread):
    """Notes when the good client was last answered, and its longest pause."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.count, self.pause_max_s = client, 0, 0.0
        self.moved, self.changed, self.ending = time.monotonic(), threading.Condition(), False

    def run(self):
        before = None
        while not self.ending:
            select.select([self.client.read_fd], [], [], 0.1)
            lines = self.client.lines()
            with self.changed:
                now = time.monotonic()
                self.pause_max_s = max(self.pause_max_s, now - self.moved)
                if lines and lines[-1] != before:
                    before, self.moved, self.count = lines[-1], now, self.count + 1
                self.changed.notify_all()

    def next_answer(self, timeout_s):
        """Waits for one more answer from now on; returns whether it came."""
        with self.changed:
            wanted = self.count + 1
            return self.changed.wait_for(lambda: self.count >= wanted, timeout_s)

    def take_pause_s(self):
        with self.changed:
            longest, self.pause_max_s = self.pause_max_s, 0.0
            return longest


def cause_of(line):
    """A log line without what differs between lines of one format of the source."""
    text = re.sub(r" \(and \d+ like it\)$", "", line[34:].rstrip("\n"))
    text = re.sub(r"^(link )\d+: (\w+|0) (refused: ).*", r"\1N \3", text)
    text = re.sub(r"^(link )\d+: (\w+) (refused BUSY).*", r"\1N \3", text)
    return re.sub(r"\d+", "N", text)


class Ground:
    """A broker, a good pair, and a look at what they went through. Used with `with`."""

    def __init__(self, place, *options):
        self.place = place
        self.broker = place.add_broker("--log-level", "debug", *options)
        self.server = place.add("good-server", [place.program(PROGRAMS[3]), place.endpoint,
                                                "good-server"])
        self.client = place.add("good-client", [place.program(PROGRAMS[2]), place.endpoint,
                                                "good-client", place.folder, "{fd}"])
        self.watch = Watch(self.client)
        with open(place.program(BROKER), "rb") as program:
            self.is_sanitized = b"__asan_init" in program.read()

    def __enter__(self):
        self.broker.start()
        self.broker.await_line()
        self.server.start()
        self.client.start()
        self.watch.start()
        check(self.watch.next_answer(WAIT_MAX_S), "the good pair does not begin")
        self.watch.take_pause_s()
        return self

    def __exit__(self, kind, value, trace):
        self.watch.ending = True
        self.watch.join()
        if kind is None:
            self.finish()

    def stranger(self, **options):
        return Stranger(self.place.endpoint, **options)

    def stranger_at_admin(self):
        return Stranger(f"ipc://{self.place.store}/admin")

    def status(self):
        run = subprocess.run([self.place.program(PROGRAMS[1]), "status", "--json", "--store",
                              self.place.store], capture_output=True, text=True, check=False,
                             timeout=WAIT_MAX_S)
        check(run.returncode in (0, 1), f"baton status ends with {run.returncode}: {run.stderr}")
        return json.loads(run.stdout)

    def await_status(self, name, is_so, timeout_s=WAIT_MAX_S):
        end = time.monotonic() + timeout_s
        while not is_so(value := self.status()[name]):
            check(time.monotonic() < end, f"{name} is {value} for {timeout_s} s")
        return value

    def resident_bytes(self):
        with open(f"/proc/{self.broker.child.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.broker.child.pid}/fd"))

    def hold(self, row):
        """One row: what it says must rise rises, and the good pair is served all along."""
        before = self.status()
        row.run(self)
        pause_max_s = row.pause_max_s or PAUSE_MAX_S
        check(self.watch.next_answer(pause_max_s), "the good pair is not answered any more")
        pause_s = self.watch.take_pause_s()
        check(pause_s <= pause_max_s, f"the good pair waited {pause_s:.1f} s for an answer")
        after = self.status()
        for name, count in row.rises.items():
            rise = after[name] - before[name]
            check(rise >= count, f"counter {name} rose by {rise}, wanted {count}")
        for one in (self.broker, self.server, self.client):
            check(one.is_running(), f"{one.name} ended by itself")
        return pause_s

    def finish(self):
        """The good client settles and ends, the broker too; nothing was lost, no line too many."""
        check(self.client.stop(WAIT_MAX_S) == 0, "the good client does not finish")
        check(self.broker.stop(WAIT_MAX_S) == 0, "the broker does not end well")
        ledger = read_ledger(self.place.folder, self.client.name)
        check(ledger == (0, 0), f"the good pair's ledgers: lost, doubled = {ledger}")
        check(not self.client.faults() and not self.server.faults(), "a good end tells of a FAULT")
        self.check_log()

    def check_log(self):
        """Of each cause at most one line a second, and none of a fault of ours."""
        with open(self.broker.log, encoding="utf-8", errors="replace") as log:
            lines = [line for line in log if re.match(r"\d{4}-\d\d-\d\dT", line)]
        seconds = collections.Counter((line[:19], cause_of(line)) for line in lines)
        (second, cause), count = max(seconds.items(), key=lambda one: one[1])
        check(count <= 1, f"{count} log lines in {second} of: {cause}")
        with open(self.broker.log, encoding="utf-8", errors="replace") as log:
            bad = re.findall(r".*(?:Sanitizer|runtime error|a fault of Baton).*", log.read())
        check(not bad, f"the broker's log says: {bad[:3]}")
