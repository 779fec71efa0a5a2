"""What the child does to itself: ``python -I -S inside.py MEMORY CPU FILE OPEN PLACE … -- PROGRAM …``.

- A script of its own, not imported, and of the standard library alone: it runs after the fork and becomes the program.
- Bounds that cannot be set are a reason not to start. Landlock and the filter of system calls are set where the kernel
  has them; for PROGRAM ``--say`` it says on standard output which it set, and ends.
- The filter refuses what a decoder never needs: sockets, new processes, links, signals and limits for others, mounts.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from itertools import chain

NO_BOUNDS, NO_PROGRAM = 126, 127
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 1, 38, 22, 2
_SIGKILL, _EPERM, _ENOSYS, _O_PATH = 9, 1, 38, 0o10000000
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_EXECUTE, _WRITE, _READ, _READ_FOLDER = 1, 2, 4, 8
_REMOVE_FOLDER, _REMOVE, _MAKE_FOLDER, _MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_FILE_RIGHTS = _EXECUTE | _WRITE | _READ | _TRUNCATE
_WRITABLE = _WRITE | _READ | _READ_FOLDER | _REMOVE_FOLDER | _REMOVE | _MAKE_FOLDER | _MAKE_FILE | _REFER | _TRUNCATE
_RIGHTS = {"w": _WRITABLE, "r": _EXECUTE | _READ | _READ_FOLDER, "n": _READ_FOLDER}

# architecture: its number, clone, clone3, those judged by their first argument, those refused
_REFUSED = {
    "x86_64": (
        0xC000003E,
        (56, 435),
        {"kill": 62, "tgkill": 234, "prlimit64": 302},
        (
            # socket fork vfork ptrace semget shmget msgget link symlink mknod symlinkat linkat mknodat tkill
            (41, 57, 58, 101, 64, 29, 68, 86, 88, 133, 266, 265, 259, 200),
            # mount umount2 pivot_root chroot setns unshare open_tree move_mount fsopen fsmount mount_setattr
            (165, 166, 155, 161, 308, 272, 428, 429, 430, 432, 442),
            # process_vm_readv/_writev bpf perf_event_open userfaultfd add_key request_key keyctl io_uring_setup mq_open
            (310, 311, 321, 298, 323, 248, 249, 250, 425, 240),
            # rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal pidfd_open pidfd_getfd setpriority ioprio_set
            (129, 297, 424, 434, 438, 141, 251),
            # name_to_handle_at open_by_handle_at kexec_load kexec_file_load init_module finit_module delete_module …
            (303, 304, 246, 320, 175, 313, 176, 169),
            # swapon swapoff acct settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname …
            (167, 168, 163, 164, 227, 159, 305, 170, 171, 103, 179),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (220, 435),
        {"kill": 129, "tgkill": 131, "prlimit64": 261},
        (
            # socket ptrace semget shmget msgget symlinkat linkat mknodat tkill
            (198, 117, 190, 194, 186, 36, 37, 33, 130),
            # mount umount2 pivot_root chroot setns unshare open_tree move_mount fsopen fsmount mount_setattr
            (40, 39, 41, 51, 268, 97, 428, 429, 430, 432, 442),
            # process_vm_readv/_writev bpf perf_event_open userfaultfd add_key request_key keyctl io_uring_setup mq_open
            (270, 271, 280, 241, 282, 217, 218, 219, 425, 180),
            # rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal pidfd_open pidfd_getfd setpriority ioprio_set
            (138, 240, 424, 434, 438, 140, 30),
            # name_to_handle_at open_by_handle_at kexec_load kexec_file_load init_module finit_module delete_module …
            (264, 265, 104, 294, 105, 273, 106, 142),
            # swapon swapoff acct settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname …
            (224, 225, 89, 170, 112, 171, 266, 161, 162, 116, 60),
        ),
    ),
}
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # of a BPF program
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_THREAD, _X32 = 0x00010000, 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> int:
    """Sets bounds and walls and becomes the program; an exit code where it cannot."""
    split = arguments.index("--")
    limits, places, program = arguments[:4], arguments[4:split], arguments[split + 1 :]
    try:
        _bound(*map(int, limits))
    except (OSError, ValueError) as wrong:
        sys.stderr.write(f"no bounds: {wrong}\n")
        return NO_BOUNDS
    landlock = _fence(places)
    filtered = _filter()
    if program == ["--say"]:
        sys.stdout.write(f"landlock={landlock} filter={int(filtered)}\n")
        return 0
    try:
        os.execvp(program[0], program)  # noqa: S606 (no shell)
    except OSError as wrong:
        sys.stderr.write(f"{program[0]}: {wrong}\n")
        return NO_PROGRAM


def _bound(memory: int, seconds: int, file_bytes: int, open_files: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def _fence(places: list[str]) -> int:
    """Landlock around the places (``r:`` read, ``w:`` write, ``n:`` names only); its version, 0 where there is none."""
    version = int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    files = (1 << (16 if version >= 5 else 15 if version >= 3 else 14 if version == 2 else 13)) - 1
    net, scoped = (3 if version >= 4 else 0), (3 if version >= 6 else 0)
    wanted = struct.pack("=QQQ", files, net, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = _libc.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), 0)
    if ruleset < 0:
        return 0
    for place in places:
        _allow(ruleset, place[2:], files & _RIGHTS[place[0]])
    done = _libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return version if done else 0


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, _O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there is not allowed either
    if not os.path.isdir(path):
        rights &= _FILE_RIGHTS
    _libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, handle), 0)
    os.close(handle)


def _filter() -> bool:
    """Refuse system calls that no decoder needs; whether this machine's are known and the kernel took it."""
    known = _REFUSED.get(platform.machine())
    if known is None or sys.maxsize < 2**32:
        return False
    code = _program(*known)
    held = ctypes.create_string_buffer(code)
    wanted = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))
    return bool(_libc.prctl(_PR_SET_SECCOMP, _FILTER, wanted, 0, 0) == 0)


def _program(arch: int, clones: tuple[int, int], first: dict[str, int], refused: tuple[tuple[int, ...], ...]) -> bytes:
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _ERROR | _ENOSYS)]
    for number in chain(*refused):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | _EPERM)]
    lines += [(_EQUAL, 0, 1, clones[1]), (_RETURN, 0, 0, _ERROR | _ENOSYS)]
    lines += _judged(clones[0], _ANY_BIT, _THREAD)  # threads, and no processes
    lines += _judged(first["kill"], _EQUAL, os.getpid())
    lines += _judged(first["tgkill"], _EQUAL, os.getpid())
    lines += _judged(first["prlimit64"], _EQUAL, 0)
    lines += [(_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _judged(number: int, test: int, value: int) -> list[tuple[int, int, int, int]]:
    """``number`` is allowed where its first argument passes the test."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, 16),
        (test, 0, 1, value),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERROR | _EPERM),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
