"""Scopekey issues, enforces, audits and keeps narrowing scoped API keys."""
