#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: what was broken once stays mended.
Method: every file in corpus/ has the choices of a run that once broke an invariant, as
`baton-sim --shrink --keep FILE` wrote them; its head says which. Each must pass now, twice with the
same digest.
"""
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def replay(program, path):
    """Returns the fault that the run shows, None if it passes and can be repeated."""
    runs = [subprocess.run([program, "--replay", path, "--digest"], capture_output=True, text=True,
                           check=False, timeout=120) for _ in range(2)]
    if any(run.returncode != 0 for run in runs):
        return (runs[0].stdout + runs[0].stderr).strip()
    digests = [re.findall(r"^digest (\w+)$", run.stdout, re.M) for run in runs]
    return None if digests[0] and digests[0] == digests[1] else "two runs, two digests"


def main():
    program = sys.argv[1]
    paths = sorted(glob.glob(os.path.join(HERE, "corpus", "*.choices")))
    faults = 0
    for path in paths:
        found = replay(program, path)
        faults += found is not None
        if found is not None:
            print(f"{os.path.basename(path)}: {found}")
    print(f"corpus: {len(paths)} runs, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
