"""Approvals (SPINE 15): a second, independent person says yes to exactly one thing, and it is used once.

One table for every kind of four-eyes. :mod:`requests` asks, finds and takes; :mod:`deciding` grants and refuses;
:mod:`rules` says who is independent, how many are allowed and when a request lapses.
"""
