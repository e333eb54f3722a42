"""Background work in the data store's own transactions: at least once, with leases, JSON only.

``models`` the table · ``store`` the SQL · ``queue`` enqueue, claim, heartbeat, finish, retry, run.
"""
