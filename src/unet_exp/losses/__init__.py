"""What training minimises; each loss honours the weight of each pixel."""
