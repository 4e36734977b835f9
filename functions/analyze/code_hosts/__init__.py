"""Code hosts: comments on pull requests through GitHub's and GitLab's documented APIs, and through the egress guard alone."""
