"""What each runtime answers, asked in a fresh process that holds nothing but the runtime.

Every module is a worker of `textrnn.export.workers.jobs`. None imports the rest of textrnn.
"""
