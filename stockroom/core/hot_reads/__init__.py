"""Reads that many ask for: one way for all of them, most of it before Flask has a part in it.

A view under ``Blueprint.hot`` says how to read (``queries``, ``representation``), which is kept
for its address (``reads``). The next request for it is met by ``fast_path``, which asks who it
counts for (``counted_for``) and how often (``core.limits.hot``), and writes what Flask would
(``answers``). Where the loop of a worker can answer without waiting (``at_once``), it does so
itself (``loop_reads``), and has PostgreSQL asked meanwhile (``asking``), once for all who want the
same (``asking_once``).
"""
