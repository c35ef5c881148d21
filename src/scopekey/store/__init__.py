"""The control plane's truth in SQL: SQLite by default, PostgreSQL where there is more than one node.

``engine`` opens it, ``transaction`` is what one unit of work sees, one module for each repository;
``dialect`` is the only file that knows which database it is.
"""
