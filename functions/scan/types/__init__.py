"""The type tables: one folder per cloud, one file per service, data only."""
