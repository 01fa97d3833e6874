"""Identity: accounts, passwords and tokens. Free of Flask but for `codec`; the web layer and the command line call it."""
