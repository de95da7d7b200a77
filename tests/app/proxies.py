"""Real proxies in front of a service, for tests: nginx and HAProxy in the forms that they send."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess

import pytest

from tests.app.gunicorn import DEADLINE_S, wait_for
from tests.app.ports import free_port

# What nginx can be told to send; the last two are the recipe of its own documentation.
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $remote_addr $element {{
        ~^[0-9.]+$ "for=$remote_addr";
        ~^[0-9A-Fa-f:.]+$ "for=\\"[$remote_addr]\\"";
        default "for=unknown";
    }}
    map $remote_addr $bracketed {{
        ~: "[$remote_addr]";
        default $remote_addr;
    }}
    server {{
        listen 127.0.0.1:{port};
        listen [::1]:{port};
        proxy_bind 127.0.0.1;
        location /usual {{
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto https;
            proxy_pass http://{upstream}/;
        }}
        location /port {{
            proxy_set_header X-Forwarded-For "$bracketed:$remote_port";
            proxy_pass http://{upstream}/;
        }}
        location /forwarded {{
            proxy_set_header Forwarded "$element;proto=https";
            proxy_pass http://{upstream}/;
        }}
        location /appended {{
            proxy_set_header Forwarded "$http_forwarded, $element";
            proxy_pass http://{upstream}/;
        }}
        location /prefix/ {{
            proxy_set_header X-Forwarded-Prefix /prefix;
            proxy_pass http://{upstream}/;
        }}
        location /silent {{
            proxy_set_header X-Forwarded-For "";
            proxy_set_header Forwarded "";
            proxy_pass http://{upstream}/;
        }}
    }}
}}
"""

HAPROXY = r"""
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend here
    bind 127.0.0.1:{port}
    bind ::1:{port}
    acl is_4 src 0.0.0.0/0
    acl is_usual path_beg /usual
    acl is_forwarded path_beg /forwarded
    http-request set-header X-Forwarded-Proto https if is_usual
    http-request set-header X-Forwarded-For [%[src]]:%[src_port] if {{ path_beg /port }}
    http-request set-header Forwarded for=%[src];proto=https if is_forwarded is_4
    http-request set-header Forwarded for=\"[%[src]]:%[src_port]\";proto=https if is_forwarded !is_4
    use_backend usual if is_usual
    default_backend plain
backend usual
    source 127.0.0.1
    option forwardfor
    server one {upstream}
backend plain
    source 127.0.0.1
    server one {upstream}
"""


def has_ipv6():
    """Return whether this machine has the loopback of IPv6, which containers may lack."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


class Proxy:
    """A proxy on this machine; clients are told apart by the address that they come from."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, client, **headers):
        """Return what the application behind the proxy was given."""
        server = "::1" if ":" in client else "127.0.0.1"
        connection = http.client.HTTPConnection(
            server, self.port, timeout=DEADLINE_S, source_address=(client, 0)
        )
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers=named)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            return json.loads(body)

    def is_there(self):
        """Return whether the proxy accepts connections."""
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_S).close()
            return True
        return False


@contextlib.contextmanager
def running(program, folder, upstream):
    """Run nginx or haproxy in front of an address; skip the test where it is not installed."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed here")
    port = free_port()
    path = folder / f"{program}-{port}.conf"
    text = {"nginx": NGINX, "haproxy": HAPROXY}[program]
    path.write_text(text.format(folder=folder, port=port, upstream=upstream).lstrip())
    command = [found, "-c", path, "-p", folder] if program == "nginx" else [found, "-f", path]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 (our own file)
    proxy = Proxy(port)
    try:
        wait_for(lambda: proxy.is_there() or process.poll() is not None, program)
        assert process.poll() is None, f"{program} does not start with {path}"
        yield proxy
    finally:
        process.kill()
        process.wait()
