"""SCIM 2.0: identity providers create and remove people."""
