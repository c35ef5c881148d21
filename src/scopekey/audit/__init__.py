"""The audit log, pure: what one entry says, and its bytes. An auditor needs no database for any of it."""
