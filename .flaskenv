FLASK_APP=wsgi.py
ENVIRONMENT=development
