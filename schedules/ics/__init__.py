"""Calendar files (.ics, RFC 5545): read into plain occurrences, written from bookings (controller only).

- The one door to icalendar and recurring-ical-events: what that library expands is what we say, and nothing else.
- A file is a stranger's: its size, its depth and how far its rules are followed have limits, and no event that cannot
  be read loses another one. Every refusal is a sentence that names the line.
- Times without a zone are the station's; a day without a time begins at the station's midnight.
"""

from schedules.ics.blocks import IcsError
from schedules.ics.reading import Content, Event, Occurrence, read
from schedules.ics.writing import Entry, write

__all__ = ["Content", "Entry", "Event", "IcsError", "Occurrence", "read", "write"]
