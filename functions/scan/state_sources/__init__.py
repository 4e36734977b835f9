"""Where states are fetched from: one module per kind of source, all behind `port.StateSource`."""
