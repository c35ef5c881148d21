"""What `make bench` runs: how fast Scopekey is here, each figure beside what it stands on."""
