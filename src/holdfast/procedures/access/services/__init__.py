"""What an administrator can do about people and credentials: each a Work, so that change and leaf are one transaction.

``scene`` who acts, and the leaves that tell of it · ``people`` joining, roles, suspension, leaving · ``lines`` which
programmes there are · ``assignments`` who works for which client · ``tokens`` issuing, listing, revoking, step-up.
Where something widens or narrows what a person reaches, the leaf stands in the house's log and in the log of each
client concerned, and those clients' fences rise, so that every process judges anew from the next request on.
"""
