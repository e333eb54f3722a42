"""Use cases of classification: reading files, proposing schemas, declaring collections, importing."""
