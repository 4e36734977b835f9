"""What goes on while faults are caused: each journey does what one kind of user does, and remembers what it was promised."""
