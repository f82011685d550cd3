#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: libbaton shows baton_* to programs and nothing else, and has all that its headers promise.
Method: nm lists what the shared library exports and what the static one leaves global; both are
compared with the names that the public headers mark with BATON_EXPORT.
"""
import argparse
import os
import re
import subprocess
import sys

HEADERS = ["client/baton_client.h", "server/baton_server.h", "proto/errors.h"]


def promised(source):
    names = set()
    for header in HEADERS:
        with open(os.path.join(source, header), encoding="ascii") as file:
            names |= set(re.findall(r"^BATON_EXPORT [^;{]*?\b(baton_\w+) \(", file.read(), re.M))
    return names


def shown(nm, options, path):
    lines = subprocess.run([nm, *options, path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    found = [line.split() for line in lines if len(line.split()) == 3]
    return {name for _, kind, name in found if kind in "TDBRVWi"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("source")
    parser.add_argument("library_dir")
    args = parser.parse_args()

    want = promised(args.source)
    faults = [] if len(want) > 40 else [f"only {len(want)} names found in the headers"]
    for options, name in ((["-D", "--defined-only"], "libbaton.so"),
                          (["-g", "--defined-only"], "libbaton.a")):
        path = os.path.join(args.library_dir, name)
        have = {one for one in shown(args.nm, options, path) if not one.startswith("__asan")}
        faults += [f"{name} shows {one}: hide it" for one in sorted(have - want)]
        faults += [f"{name} lacks {one}: define it, or take it out of the header"
                   for one in sorted(want - have)]
    print("\n".join(faults) or f"exports: {len(want)} names, in headers and libraries alike")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
