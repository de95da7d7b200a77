"""A real server in a thread: werkzeug's, on a free port of this machine."""

import threading
from contextlib import contextmanager

from werkzeug.serving import make_server


@contextmanager
def serving(application):
    """Serve a WSGI application and yield its address."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
