"""How gunicorn serves the application: its worker, and what its processes do beside answering."""
