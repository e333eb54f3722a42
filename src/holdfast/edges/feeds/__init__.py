"""Adaptors: each turns one system's way of telling events into canonical ones. An adaptor is one small file.

An adaptor is a function from the body of a request to :class:`~holdfast.spine.signals.events.Line`s: the number of the
line (or of the entry), and canonical JSON of one event, or why there is none. It does not decide anything: every line
goes through the same strict reading, scope and resolution afterwards. It keeps declared fields only, so what the sender
adds is dropped here. Its function is entered in ``catalogue.py`` under the name by which feeds are registered.
"""
