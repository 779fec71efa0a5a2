"""THE LOUDSPEAKER'S DOORS: one small protocol (`player`), and what sounds behind it (file, sound card, nothing).

- A player holds one take at a time: primed before its second, started by itself on it.
- A player never raises for bad audio or a lost sound card: it says so in its progress.
- numpy, soundfile and sounddevice are imported with the first take, so that a waiting node stays small.
"""
