"""Webhooks: takes events in, sends results out, relays what a crash left in an outbox."""
