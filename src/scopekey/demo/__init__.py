"""A small real data platform on DuckDB, protected by Scopekey: the living example.

Datasets, saved queries and jobs over HTTP. Every route names the permission it needs; nothing here decides about keys.
"""
