"""Lightning around the network: module, data module, callbacks, checkpoints."""
