"""What the webhook function decides; stores nothing."""
