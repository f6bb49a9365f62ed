"""Side by side with other libraries, on the same input, in alternating rounds."""
