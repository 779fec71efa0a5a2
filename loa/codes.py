"""Exit codes: what a program that calls `loa` may rely on."""

DONE = 0
FAILED = 1  # refused or failed; one sentence on standard error says why
NOT_UNDERSTOOD = 2
MISSING = 3  # something this machine does not have
NOT_EVERYWHERE = 4  # done, but some node did not sound it
ENDED = 130  # by Ctrl-C
