#!/usr/bin/python3
"""A service instance of the demo: answers every GET with its own name. backend.py ADDRESS PORT NAME"""
import http.server
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"hello from {self.server.instance}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    address, port, name = sys.argv[1:]
    server = http.server.ThreadingHTTPServer((address, int(port)), Handler)
    server.instance = name
    server.serve_forever()


if __name__ == "__main__":
    main()
