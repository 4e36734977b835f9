"""A SAML 2.0 service provider that reads only what was verified.

Owns the messages: metadata in and out, requests, responses. Pure: it opens no connection and stores nothing; which
request is still open, which assertion was seen before and who may use a connection is for the callers in `functions.auth`.
Import it inside the handler: lxml and signxml take longer to load than the rest of the function.
Source: ADR-0014; SAML 2.0 core, bindings, profiles and metadata (OASIS, March 2005, with errata 05).
"""
