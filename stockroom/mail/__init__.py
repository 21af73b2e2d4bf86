"""Mail: rows that are sent once, over SMTP or into a folder."""
