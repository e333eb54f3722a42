"""The end of a whole client: nobody reaches it, its keys are destroyed, and what named its customers goes.

``endings(client, now_us)``           the writes by which whatever let somebody reach it ends (``access``)
``request_client_shred``, ``complete_client``   the erasure itself (``client_shred``)
"""
