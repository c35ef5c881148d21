"""The control plane's operations, one module each, called alike by API, console and command line.

Each takes an ``Authority`` and a ``Caller`` and runs in one unit of work: rows, change and audit
entry, or none of them. A refusal is a ``ProblemError``.
"""
