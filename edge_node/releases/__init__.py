"""RELEASES: how another version of this program comes to run on this machine, and how the one before comes back.

- `statement` says whether a statement is to be obeyed, `progress` is the durable state, `updater` the walk of the
  root-owned program that installs (`loa node update`); `bundle`, `environment` and `proof` are its steps.
- The agent (`edge_node.updating`) and the updater meet in files only, each reading the other's: neither trusts them.
"""
