"""WHAT TRAVELS: the contract that the station and the nodes both keep.

- Messages are frozen structs, JSON on the wire, one file per kind.
- What may move a loudspeaker is sealed (`seal`); what only informs is not.
- `topics` is the one table of topic, direction, retention and QoS.
- `link` is how bytes travel; `loopback` and `mqtt` are its two implementations.
- This room knows no clock, no store and no file: it is imported by everybody and imports nobody.
"""
