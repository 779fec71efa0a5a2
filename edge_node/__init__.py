"""THE SPEAKER: a node makes the signed plan sound, alone if need be, and proves what it did. Start at `agent.py`."""
