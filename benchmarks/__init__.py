"""What an orchestrated event costs, beside python-statemachine alone and its peers."""
