"""Webhooks: takes events in, relays what a crash left in an outbox."""
