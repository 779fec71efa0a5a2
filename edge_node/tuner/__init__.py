"""THE TUNER: another station's stream becomes samples (`tuner`): called up (`calling`), followed (`playlists`, `hls`),
decoded in a process of its own (`decoder`), again and again for as long as it is wanted.

- The stream is a stranger's: bounds on bytes, seconds and memory, and no address but a public one, however it is led.
- Only this room asks the network; the decoder gets bytes through a pipe and may open nothing.
"""
