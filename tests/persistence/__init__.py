"""Redis's file formats, beside Redis itself and beside bytes that nobody wrote."""
