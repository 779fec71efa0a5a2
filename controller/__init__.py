"""THE STATION: wishes in (`desk`), plans out (`station`), what was heard back (`logbook`), and the window (`web`)."""
