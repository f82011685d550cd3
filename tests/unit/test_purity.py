#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: the rules of the broker cannot touch clock, disk, network or chance.
Method: list what the release archives of the pure rooms want from outside (nm -u), take away what
the rooms define for each other, and allow only memory, strings and the assert hook.
"""
import argparse
import os
import re
import subprocess
import sys

SKIPPED = 77
# Archives of pure rooms, and those of their objects that are not pure.
STRICT = {"core": [], "replica": []}
PURE = {**STRICT, "msg": [], "link": [], "store": ["disk_file.c.o"]}
ALLOWED = re.compile(
    r"^(mem(cpy|move|set|cmp|chr|rchr)|str(n?len|n?cmp|r?chr|n?cpy|p?brk|c?spn|str)"
    r"|malloc|calloc|realloc|free|assert_failed|_GLOBAL_OFFSET_TABLE_)$")
# What hardening adds by itself; the strict rooms are built without (docs/decisions/0001).
HARDENING = re.compile(r"^(__stack_chk_fail|__(mem|str)\w+_chk)$")
ADVICE = {
    "__stack_chk_fail": "the room was built without the property BATON_PURE (CMakeLists.txt)",
    "snprintf": "format in the shell; a room returns numbers and names",
    "__assert_fail": "use ASSERT of proto/assert.h, which stays on",
    "abort": "use ASSERT of proto/assert.h",
    "clock_gettime": "the loop reads the clock once a turn and puts it on the event",
    "time": "the loop reads the clock once a turn and puts it on the event",
    "rand": "random numbers are made in the shell and handed in as values",
    "qsort": "qsort may allocate and its order of equals is not fixed; keep things sorted",
}


def symbols(nm, archive, undefined, left_out=()):
    """Returns the names that [archive] wants from outside, or the ones that it defines."""
    command = [nm, "--format=posix", "-u" if undefined else "--defined-only", archive]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found, counts = set(), True
    for line in out.splitlines():
        # "archive[member]:" begins a member; then "name U" or "name T 0 10".
        if line.endswith(":"):
            counts = not any(f"[{member}]" in line for member in left_out)
            continue
        fields = line.split()
        if counts and len(fields) >= 2 and (undefined or fields[1] in "TDBRVWGSi"):
            found.add(fields[0])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("lib_dir", help="where the release archives are")
    args = parser.parse_args()

    if not os.path.isdir(args.lib_dir):
        print(f"skipped: no release build in {args.lib_dir}; make one with"
              " 'cmake --preset release && cmake --build --preset release'")
        return SKIPPED
    path = {room: os.path.join(args.lib_dir, f"libbaton_{room}.a") for room in PURE}
    missing = [room for room in PURE if not os.path.exists(path[room])]
    for room in missing:
        print(f"{path[room]}: is not there; build target baton_{room} as a static library")
    if missing:
        return 1

    faults = 0
    own = set().union(*(symbols(args.nm, path[room], False, PURE[room]) for room in PURE))
    for room in PURE:
        wanted = symbols(args.nm, path[room], True, PURE[room]) - own
        for name in sorted(wanted):
            if not ALLOWED.match(name) and (room in STRICT or not HARDENING.match(name)):
                advice = ADVICE.get(name, "move the call into the shell, hand the value in")
                print(f"baton_{room}: wants {name} from outside; {advice}")
                faults += 1
        print(f"baton_{room}: wants {' '.join(sorted(wanted)) or 'nothing'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
