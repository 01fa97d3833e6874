"""Migrations: from declared tables to a database that has them, without loss.

Every plugin owns a folder of Alembic revisions and a version table; the host and the site own one each.
`plan` compares the declarations with the database, `make` writes a revision, `upgrade` and `downgrade` run
revisions, `check` tells whether anything is left to do. Called by `cli` and `application`; Alembic is
imported nowhere else.
"""
