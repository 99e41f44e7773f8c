"""Probes: one worker per runtime, which runs a file on texts.

Every module is a worker of `textrnn.export.workers.jobs`. No module imports the rest of textrnn, so
that the process holds nothing but the runtime.
"""
