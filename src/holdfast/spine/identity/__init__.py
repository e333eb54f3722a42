"""Who asks: persons, their employers and assignments, credentials, pseudonyms and standing facts.

One map of files: ``models`` the tables · ``store`` the SQL · ``people`` persons and employers · ``assignments`` ·
``credentials`` issuing and revoking · ``requester`` what a credential says at this moment · ``place`` networks and
devices · ``facts`` what all this means to a decision · ``references`` pseudonyms per log · ``acting`` in whose name
the command line works. Everything but the models is free of Django; nothing is cached between two requests.
"""
