"""From probabilities to instances."""
