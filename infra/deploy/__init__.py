"""Rolling the suite out: migrations first, then revisions by digest, a canary, and the way back."""
