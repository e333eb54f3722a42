"""The vault: sealed records, the keys that open them, and the only code that sees a field in clear.

Root → client key → data key per (customer, class) → field (DESIGN §6, SPINE 18, 19, 21, 22). Read in this order:
``hierarchy`` (keys), ``records`` (one record sealed and opened), ``writer`` (many records in), ``shred`` (a customer
out).

=================  ====================================================================================
module             what it promises
=================  ====================================================================================
``schema``         ``compile_schema(toml, name=…) -> CollectionSchema``; refuses what may not be kept
``normalise``      ``normalise(spec, text) -> Normal``: one function for import, index and verify
``masks``          ``mask(spec.mask, text) -> str`` of a length that does not depend on the value
``blindindex``     ``index_token(keys, schema, spec, text) -> bytes``
``roots``          ``open_root(home, passphrase) -> Root``
``hierarchy``      ``client_keys(keks, client, fence) -> Work[ClientKeys]``
``records``        ``seal_records``, ``open_fields``, ``match_answer``, ``dummy_open``
``writer``         ``BatchWriter``; ``update`` holds ``update_record``
``shred``          a customer's keys destroyed, with a certificate; ``sweep``: what never committed is removed
=================  ====================================================================================

A value in clear leaves this package only as ``Secret[str]`` and only against a ``Permit``.
"""
