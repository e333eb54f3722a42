"""Administration as a judged operation (SPINE 12).

``scene.administer`` is what every administrative act begins with: it finds who acts, gathers the facts, lets
``guards/administration.cedar`` judge, and returns the scene in which the act writes and tells the logs. ``judge`` is
the pure part, ``facts`` what it is asked with, ``refusals`` the line that a refused act leaves.
"""
