"""Attackers that play the federation, and attackers that bring a TLS session of an earlier connection."""
import re
import socket
import ssl

from raw_call import SETTINGS, frame
from tls_bed import DNSD

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # the first bytes that a client says to a server that it believes
REASON = " not connected | tls handshake failed | federation not reached "
REPLICA = ('roles: [dns]\nreplica: {{federation: ["{server}"], '
           "tls: {{certificate: {who}.pem, key: {who}.key, ca: ca/ca.pem}}}}")


def start(bed, whom, server):
    """An agent or a replica of eu-1 that looks for its federation at `server`."""
    bed.server = server
    if whom == "agent":
        bed.exchange("n7.pem", bed.made_as(["node/eu-1/n7"]))
        bed.exchange("n7.key", "1.key")
        return bed.agent("n7", ca="ca/ca.pem")
    bed.exchange("edge.pem", bed.made_as(["dns/eu-1/edge"]))
    bed.exchange("edge.key", "1.key")
    role = REPLICA.format(server=server, who="edge")
    config = bed.write("edge.yaml", DNSD.format(role=role, data=bed.path("edge"), name="edge"))
    return bed.start("meshdnsd", "--config", config)


def believes(listener, context):
    """Whether the next client goes on after it has seen the certificate."""
    client, _ = listener.accept()
    with client:
        client.settimeout(20)
        try:
            with context.wrap_socket(client, server_side=True) as secured:
                return secured.recv(len(PREFACE)) == PREFACE
        except OSError:
            return False


def outcome(bed, row):
    """serve agent, serve replica: "accepted", or what the daemon says about the certificate of the row."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bed.certificate_of(row.who), bed.path("1.key"))
    context.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        daemon = start(bed, row.asks[1], "127.0.0.1:%d" % listener.getsockname()[1])
        try:
            if believes(listener, context):
                return "accepted"
            daemon.wait_line(REASON)
            daemon.read(0.2)
            return "; ".join(line for line in daemon.lines if re.search(REASON, line)).replace('\\"', '"')
        finally:
            daemon.stop()


def session_of(context, server):
    """A TLS session that can be resumed; None = the server gives none."""
    with context.wrap_socket(socket.create_connection(server), server_hostname=server[0]) as secured:
        secured.sendall(PREFACE + frame(SETTINGS, 0, 0))
        secured.recv(4096)
        return secured.session if secured.session.has_ticket else None


class Resuming:
    """Wraps sockets as an SSLContext does, with an old session. `resumed` says whether the server took the last one."""

    def __init__(self, context, session):
        self.context, self.session = context, session

    def wrap_socket(self, plain, server_hostname):
        secured = self.context.wrap_socket(plain, server_hostname=server_hostname, session=self.session)
        self.resumed = secured.session_reused
        return secured
