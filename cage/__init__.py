"""THE CAGE: whatever decodes, probes or unpacks a stranger's bytes is a child that can do nothing else.

- `run` and `start` are the one door; `inside` is what the child does to itself before it becomes the program.
- It sees the system's programs, the files that it is given and one folder to write in. It has no network, no way to
  make processes, no keys, no state, an empty environment, and ends in time.
- Three walls, each by itself: a namespace of its own (bubblewrap), Landlock, and a filter of system calls. `protection`
  says which of them stand on this machine; the bounds on time, memory and files stand everywhere.
"""

from cage.door import Bounds, Cage, Ended, Hung, NotInstalled, Protection, end, protection, run, start

__all__ = ["Bounds", "Cage", "Ended", "Hung", "NotInstalled", "Protection", "end", "protection", "run", "start"]
