"""Customers' accounts in other clouds than AWS: stand-ins for the hosts of Google Cloud and Azure that a scan calls.

Each answer is in the shape that the vendor documents; the pages are named where the shapes are made.
"""
