"""The only door to data: list, get, create, update and delete under rules, for requests, jobs, sockets and commands alike."""
