"""The command line: plan, train, execute notebooks, build the book."""
