"""What every simulated API stands on: a clock, a store, faults, a request log and a server.

Nothing in here knows an API by name. The packages beside this one (`rootly`, `roost`,
`cloud_bot`) add the data and the rules of one API each.
"""
