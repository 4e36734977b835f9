"""The offline verifier of audit packs: one file that needs nothing but Python."""
