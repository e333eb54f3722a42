"""Copies of the two stores, and the way back from one (SPINE 26).

A copy is older than the log that was published: with it, erasures, suspensions and revocations never happened. So a
house whose store does not reach the head that was signed or published does not serve (checks ``logs.E002`` … ``E004``)
until recovery has gone through these states:

==========  ==========================================================================================================
state       what has happened
==========  ==========================================================================================================
swapping    in the file ``recovery.json``: a copy is being put in the place of the stores, which are kept beside
            *then the published files, or a client's copy of them, are verified from the first leaf to the last*
put_back    in ``data``, in one transaction: the missing leaves stand in the logs again, the roots are those that were
            signed, and what a copy must not go on with (open contacts, challenges, second tokens) is closed
            *then each leaf of the gap is looked at*
redone      in ``data``, one transaction for each log: what narrowed is narrowed again, erased customers are refused
            *then their keys are destroyed again, and the files searched*
told        a leaf ``log.restored`` states the gap, in each log that had one; from here the house serves
==========  ==========================================================================================================

What *widened* in the gap is not redone; it is listed for the operator. Killed anywhere, recovery goes on from the state
that stands written; run again after its end, it does nothing.
"""
