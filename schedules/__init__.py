"""WHEN IT SOUNDS: pure functions of data and `now`. No input, no output, no clock.

- Both sides use this room: the station to plan and preview, the node to decide. The same code, so that the
  preview is what happens.
- What the node uses (`due`, `precedence`, `policy`, `moments`) imports no library but the wire's structs.
- `calendars`, `lunar` and `ics` alone open the door to libraries of dates; `samples/` holds timetables as people
  write them.
"""
