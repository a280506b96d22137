"""What finished runs say together: tables, tests and pages made from what lies on disk."""
