"""The package for the marketplace: built, checked by its rules, installed and tried."""
