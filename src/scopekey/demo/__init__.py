"""A small real data platform on DuckDB, protected by Scopekey: the living example.

Datasets, saved queries, jobs, connections and workflows over HTTP. Every route names the permission it
needs; nothing here decides about keys.
"""
