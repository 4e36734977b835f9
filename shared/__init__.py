"""The vendored package: what every function shares. Never imports a function."""
