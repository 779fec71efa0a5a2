"""The floor under every broker: accepts N listeners and writes the same bytes to each socket, one write each.

``python -m bench.bare_writer COUNT``: says its port, then ``{"ready": …}``; every line ``{"packet": hex}`` is
written to all, and answered with when that began and ended.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

from bench.child import say

_SUBACK = b"\x90\x03\x00\x01\x01"


def main(count: int) -> None:
    """Serve until standard input ends."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    say(port=listening.getsockname()[1])
    opened = _accept(listening, count)
    say(ready=len(opened))
    for line in sys.stdin:
        packet = bytes.fromhex(json.loads(line)["packet"])
        began = time.monotonic_ns()
        for sock in opened:
            sock.send(packet)
        say(began=began, ended=time.monotonic_ns())


def _accept(listening: socket.socket, count: int) -> list[socket.socket]:
    """The connections of ``count`` listeners, each connected and subscribed."""
    opened: dict[int, socket.socket] = {}
    subscribed = 0
    poll = select.epoll()
    poll.register(listening, select.EPOLLIN)
    while subscribed < count:
        for handle, _ in poll.poll():
            if handle == listening.fileno():
                sock, _ = listening.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                opened[sock.fileno()] = sock
                poll.register(sock, select.EPOLLIN)
            elif opened[handle].recv(4096)[0] >> 4 == 1:
                opened[handle].send(b"\x20\x02\x00\x00")
            else:
                opened[handle].send(_SUBACK)
                poll.unregister(handle)
                subscribed += 1
    return list(opened.values())


if __name__ == "__main__":
    main(int(sys.argv[1]))
