"""Google's KMS, Secret Manager and Pub/Sub on loopback, for the real Google client libraries.

Owns the servers of the laptop and of the tests. A function must never import it: functions only know an endpoint.
"""
