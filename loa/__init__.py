"""THE COMMAND: `loa`, one file per verb. It imports a room only when its verb runs, so a Pi needs no Flask."""
