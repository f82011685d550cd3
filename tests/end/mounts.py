# SPDX-License-Identifier: MPL-2.0
"""mounts.py has file systems for one test alone: root takes a mount namespace of its own, so that
nothing of it is seen outside and all of it ends with the process. Others are told that they cannot.
"""
import ctypes
import os
import subprocess

NEW_MOUNTS = 0x00020000  # CLONE_NEWNS


def take_own():
    """Returns None when this process and its children have mounts of their own; else the reason
    why not, for people."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NEW_MOUNTS) != 0:
        return f"a mount namespace cannot be had: {os.strerror(ctypes.get_errno())}"
    run = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True,
                         check=False)
    return run.stderr.strip() or None


def mount_memory(path, size_bytes):
    """An empty disk of [size_bytes] in memory at the folder [path]."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "none", path],
                   check=True)


def resize(path, size_bytes):
    subprocess.run(["mount", "-o", f"remount,size={size_bytes}", path], check=True)


def make_read_only(path):
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)


def unmount(path):
    subprocess.run(["umount", "--lazy", path], check=True)
