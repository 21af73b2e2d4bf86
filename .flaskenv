FLASK_APP=wsgi.py
ENVIRONMENT=development
WEBHOOK_HTTP=true
