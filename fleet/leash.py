"""The first moments of a child: into its folder, without root's rights, its life tied to the parent's.

Run as a script of its own, so that nothing of ours is forked with threads running:
``leash.py PARENT_PID FOLDER USER PROGRAM [ARGUMENT…]`` – USER is a user's name, or ``-`` to stay who we are.

- The folder first, as root: its parents need not be open to the user that the program will be.
- The program is opened as root too and executed by descriptor: it may lie where that user cannot look.
- The death signal last: the kernel forgets it when the user changes.
"""

import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, folder: str, user: str, command: list[str]) -> None:
    """Become the program that ``command`` starts with. Exits with 71 when the parent is gone; raises OSError."""
    os.chdir(folder)
    binary = os.open(command[0], os.O_RDONLY | os.O_CLOEXEC)
    if user != "-":
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        sys.exit(71)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    os.execve(binary, command, environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
