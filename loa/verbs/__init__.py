"""One file per verb: what it takes (`add`), and what it does (`run`)."""
