#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: library_play.c has a real broker to talk to. Method: starts one over a fresh store and
runs the program once; its exit code is ours.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from drill import Place, find_build

PROGRAMS = ["bin/batond", "tests/library_play"]


def main():
    build = find_build(os.environ.get("BATON_BUILD_DIR"), PROGRAMS)
    with Place(build) as place:
        # A requirement that nobody meets is to be refused without the usual grace.
        broker = place.add_broker("--set", "match_grace_ms=1")
        broker.start()
        broker.await_line()
        environment = {**os.environ, "BATON_ENDPOINT": place.endpoint}
        return subprocess.run([place.program(PROGRAMS[1])], env=environment, check=False,
                              timeout=100).returncode


if __name__ == "__main__":
    sys.exit(main())
