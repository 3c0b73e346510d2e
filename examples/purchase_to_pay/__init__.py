"""An object-centric event log of purchasing, replayed through one orchestrator per case."""
