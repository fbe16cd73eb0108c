"""The HR systems that can be read: one module or package each, none of which knows another."""
