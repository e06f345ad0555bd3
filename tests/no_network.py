"""Run a Python script that the system kills when it opens a socket to anywhere but this machine's own processes.

python tests/no_network.py SCRIPT ARGUMENT…

A filter on system calls (seccomp) watches, so that native code is seen as well.  The exit code is then that of SIGSYS.
"""

from __future__ import annotations

import ctypes
import os
import platform
import runpy
import struct
import sys

SOCKET = {"x86_64": 41, "aarch64": 198}
"""The number of the system call socket(domain, …)."""
AF_UNIX = 1
KILL_PROCESS, ALLOW = 0x8000_0000, 0x7FFF_0000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def forbid_network() -> None:
    """From here on, socket() with another domain than AF_UNIX kills this process and what it starts."""
    steps = [
        (LOAD, 0, 0, 0),  # the number of the system call
        (EQUAL, 0, 3, SOCKET[platform.machine()]),
        (LOAD, 0, 0, 16),  # its first argument
        (EQUAL, 1, 0, AF_UNIX),
        (RETURN, 0, 0, KILL_PROCESS),
        (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.cast(code, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program))):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl refused the filter")


if __name__ == "__main__":
    forbid_network()
    os.environ.pop("ORT_DISABLE_TELEMETRY", None)
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
