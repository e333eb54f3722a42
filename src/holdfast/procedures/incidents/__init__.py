"""Procedure 7b, incident response: contain, measure the exact blast radius, notify in time.

It does nothing yet. What it will read, who saw which customer's fields and when, is in each client's log from the first
day on.
"""
