"""A door to any XNAT or ConnectomeDB, shaped like pyxnat's."""
