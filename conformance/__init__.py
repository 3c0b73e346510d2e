"""python-statemachine's own test-suite, on its engines and on ours."""
