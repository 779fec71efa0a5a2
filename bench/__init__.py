"""HOW FAST: measurements as ratios within one run, against the floor or a peer on the same machine."""
