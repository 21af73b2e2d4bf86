"""How gunicorn serves the application: its worker, how workers are exchanged, and what they do
beside answering. What ``make run`` does is in ``stockroom.serve``.
"""
