"""Sessions of agent hosts: which run each is to finish, and what is to be known of it between two hooks."""
