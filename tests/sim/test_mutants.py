#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Goal: what is shipped knows nothing of mutants, and every mutant stands somewhere in the sources.
Method: look for symbols and texts of theirs in the release archives and programs (nm, bytes), for
the simulator in what is installed, and for each name of proto/mutant.h in the product's sources.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

SKIPPED = 77
PRODUCT = ["proto", "broker", "client", "server", "tools"]


def shipped(build):
    """Returns archives, libraries and programs that belong to the product."""
    found = glob.glob(f"{build}/lib/libbaton*") + [
        f"{build}/bin/{name}" for name in ("batond", "baton", "batonbench")]
    return sorted(path for path in found
                  if os.path.isfile(path) and "mutant" not in path and "test" not in path)


def sources(root):
    for folder in PRODUCT:
        for at, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(at, name)
                    with open(path, encoding="ascii") as file:
                        yield os.path.relpath(path, root), file.read()


def traces(nm, path):
    """Returns what [path] shows of mutants."""
    out = subprocess.run([nm, "--format=posix", path], capture_output=True, text=True,
                         check=False).stdout
    names = [line.split()[0] for line in out.splitlines() if line and not line.endswith(":")]
    found = [name for name in names if "mutant" in name.lower()]
    with open(path, "rb") as file:
        if re.search(rb"MUTANT|mutant_", file.read()):
            found.append("a text with 'mutant'")
    return found


def faults_of_list(root):
    texts = dict(sources(root))
    listed = re.findall(r"^    X \((\w+), \"", texts.pop("proto/mutant.h"), re.M)
    used = {name for text in texts.values() for name in re.findall(r"MUTANT \((\w+)\)", text)}
    for name in sorted(set(listed) - used):
        yield f"proto/mutant.h: {name} stands nowhere; put it at the rule that it takes out"
    for name in sorted({name for name in listed if listed.count(name) > 1}):
        yield f"proto/mutant.h: {name} is listed twice"


def faults_of_install(build):
    out = subprocess.run(["cmake", "-P", os.path.join(build, "cmake_install.cmake")],
                         capture_output=True, text=True, check=False,
                         env={**os.environ, "DESTDIR": os.path.join(build, "test_mutants.root")})
    for line in out.stdout.splitlines():
        if "baton-sim" in line:
            yield f"installed: {line.split()[-1]}; the simulator stays at home"
    if out.returncode != 0:
        yield f"cmake --install failed: {out.stderr.strip()[-200:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nm", default="nm")
    parser.add_argument("root", help="source folder")
    parser.add_argument("build", help="release build folder")
    args = parser.parse_args()

    faults = list(faults_of_list(args.root))
    paths = shipped(args.build)
    if not paths:
        print(f"skipped: no release build in {args.build}")
        return SKIPPED
    for path in paths:
        faults += [f"{path}: {found}; MUTANT must be a constant here"
                   for found in traces(args.nm, path)]
    faults += faults_of_install(args.build)
    print("\n".join(faults))
    print(f"mutants: {len(paths)} files of the product, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
