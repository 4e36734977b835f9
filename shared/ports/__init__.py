"""Small protocols for what lies outside the process, each with its Google implementation beside it."""
