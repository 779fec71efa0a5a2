"""MANY: one command that starts a broker, a station and N real nodes, for the demo, for simulation and for load."""
